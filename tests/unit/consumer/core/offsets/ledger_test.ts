import assert from "node:assert/strict";
import fc from "fast-check";
import { Ledger, type LedgerEntry } from "../../../../../consumer/core/offsets/ledger.ts";

interface Item {
  readonly offset: number;
}

/** The same thing, written so that it can only be right. */
class PlainLedger {
  readonly offsets: number[] = [];
  readonly settled: Set<number> = new Set();
  position = 0;

  committable(): number {
    return this.offsets.find((offset) => !this.settled.has(offset)) ?? this.position;
  }

  runs(): [number, number][] {
    const above = this.offsets.filter((offset) => offset >= this.committable());
    const runs: [number, number][] = [];
    let open = false;
    for (const offset of above) {
      const last = runs.at(-1);
      if (!this.settled.has(offset)) open = false;
      else if (open && last !== undefined) last[1] = offset;
      else {
        runs.push([offset, offset]);
        open = true;
      }
    }
    return runs;
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("receive" as const), gap: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ do: fc.constant("receiveSettled" as const), gap: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ do: fc.constant("advance" as const), gap: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ do: fc.constant("settle" as const), which: fc.nat() }),
  ),
  { maxLength: 300 },
);

Deno.test("Ledger agrees with a plain list about watermark, runs and counts, whatever happens", () => {
  fc.assert(fc.property(steps, (all) => {
    const ledger = new Ledger<Item>(0);
    const plain = new PlainLedger();
    const unsettled: LedgerEntry<Item>[] = [];
    for (const step of all) {
      if (step.do === "settle") {
        const [one] = unsettled.splice(step.which % Math.max(1, unsettled.length), 1);
        if (one === undefined) continue;
        assert.equal(ledger.settle(one), true);
        plain.settled.add(one.offset);
      } else if (step.do === "advance") {
        plain.position += step.gap;
        ledger.advance(plain.position);
      } else {
        const offset = plain.position + step.gap;
        plain.offsets.push(offset);
        plain.position = offset + 1;
        if (step.do === "receive") unsettled.push(ledger.receive(offset, { offset }));
        else {
          ledger.receiveSettled(offset);
          plain.settled.add(offset);
        }
      }
      assert.equal(ledger.committable(), plain.committable());
      assert.equal(ledger.position, plain.position);
      assert.equal(ledger.unsettled, unsettled.length);
      assert.equal(ledger.runs, plain.runs().length);
      assert.equal(ledger.span, plain.position - plain.committable());
    }
    const runs: [number, number][] = [];
    ledger.walk({ settled: (first, last) => runs.push([first, last]), unsettled() {} });
    assert.deepEqual(runs, plain.runs());
  }));
});

Deno.test("Ledger.committable() stops at the first record that is not settled", () => {
  const ledger = new Ledger<Item>(5);
  const [first, second] = [5, 6, 9].map((offset) => ledger.receive(offset, { offset }));
  assert.ok(first !== undefined && second !== undefined);
  ledger.settle(second);
  assert.equal(ledger.committable(), 5);
  ledger.settle(first);
  assert.equal(ledger.committable(), 9);
});

Deno.test("Ledger.committable() is the fetch position when everything is settled, past markers and gaps", () => {
  const ledger = new Ledger<Item>(0);
  ledger.settle(ledger.receive(3, { offset: 3 }));
  ledger.advance(8);
  assert.equal(ledger.committable(), 8);
});

Deno.test("Ledger.settle() is false for a record that was settled before", () => {
  const ledger = new Ledger<Item>(0);
  ledger.receive(0, { offset: 0 });
  const entry = ledger.receive(1, { offset: 1 });
  assert.equal(ledger.settle(entry), true);
  assert.equal(ledger.settle(entry), false);
  assert.equal(ledger.unsettled, 1);
});

Deno.test("Ledger.receive() refuses an offset below its position", () => {
  const ledger = new Ledger<Item>(7);
  assert.throws(() => ledger.receive(6, { offset: 6 }), /Offsets must grow: received 6 at position 7/);
});

Deno.test("Ledger.walk() ends at the last record that was sent or settled", () => {
  const ledger = new Ledger<Item>(0);
  const [, second] = [0, 1, 2, 3].map((offset) => ledger.receive(offset, { offset }));
  assert.ok(second !== undefined);
  ledger.markStarted(second);
  const seen: number[] = [];
  ledger.walk({ settled() {}, unsettled: (offset) => seen.push(offset) });
  assert.deepEqual(seen, [0, 1]);
});

Deno.test("Ledger.first() is the record that holds the watermark", () => {
  const ledger = new Ledger<Item>(0);
  assert.equal(ledger.first(), undefined);
  const entry = ledger.receive(0, { offset: 0 });
  ledger.receive(1, { offset: 1 });
  ledger.settle(entry);
  assert.deepEqual(ledger.first(), { offset: 1 });
});

Deno.test("Ledger.walk() takes one step for a run of settled records, however long", () => {
  const ledger = new Ledger<Item>(0);
  ledger.receive(0, { offset: 0 });
  for (let offset = 1; offset <= 100_000; offset++) ledger.settle(ledger.receive(offset, { offset }));
  const steps: string[] = [];
  ledger.walk({
    settled: (first, last) => steps.push(`${first}-${last}`),
    unsettled: (offset) => steps.push(`${offset}`),
  });
  assert.deepEqual(steps, ["0", "1-100000"]);
});
