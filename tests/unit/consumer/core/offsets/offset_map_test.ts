import assert from "node:assert/strict";
import fc from "fast-check";
import { Ledger } from "../../../../../consumer/core/offsets/ledger.ts";
import {
  type Attempted,
  bitsFit,
  decodeOffsetMap,
  encodeOffsetMap,
  entriesMax,
  METADATA_BYTES_MAX,
} from "../../../../../consumer/core/offsets/offset_map.ts";

interface Entry {
  readonly gap: number;
  readonly settled: boolean;
  readonly attempts: number;
}

const entry = fc.record({
  gap: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 100_000 })),
  settled: fc.boolean(),
  attempts: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 1000 })),
});
const start = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 40 }));

function ledgerOf(from: number, entries: readonly Entry[]): Ledger<Attempted> {
  const ledger = new Ledger<Attempted>(from);
  for (const { gap, settled, attempts } of entries) {
    const place = ledger.receive(ledger.position + gap, { attemptsCounted: attempts });
    ledger.markStarted(place);
    if (settled) ledger.settle(place);
  }
  return ledger;
}

/** What a ledger knows above its watermark, offset by offset. */
function contents(ledger: Ledger<Attempted>) {
  const settled: [number, number][] = [];
  const attempts = new Map<number, number>();
  ledger.walk({
    settled: (first, last) => settled.push([first, last]),
    unsettled: (offset, item) => item.attemptsCounted > 0 && attempts.set(offset, item.attemptsCounted),
  });
  return { settled, attempts };
}

Deno.test("decodeOffsetMap() reads back exactly what encodeOffsetMap() was given, where it fits", () => {
  fc.assert(fc.property(start, fc.array(entry, { maxLength: 200 }), (from, entries) => {
    const ledger = ledgerOf(from, entries);
    const { settled, attempts } = contents(ledger);
    const decoded = decodeOffsetMap(encodeOffsetMap(ledger), ledger.committable());
    if (settled.length === 0 && attempts.size === 0) return assert.equal(decoded.kind, "none");
    assert.deepEqual(decoded, { kind: "map", map: { settled, attempts } });
  }));
});

Deno.test("encodeOffsetMap() never takes more than Kafka's 4,096 bytes, and cuts only at the end", () => {
  fc.assert(
    fc.property(start, fc.array(entry, { minLength: 1500, maxLength: 4000 }), (from, entries) => {
      const ledger = ledgerOf(from, entries);
      const text = encodeOffsetMap(ledger);
      assert.ok(new TextEncoder().encode(text).length <= METADATA_BYTES_MAX, `${text.length} bytes`);
      const decoded = decodeOffsetMap(text, ledger.committable());
      assert.ok(decoded.kind === "map");
      const whole = contents(ledger);
      assert.deepEqual(decoded.map.settled, whole.settled.slice(0, decoded.map.settled.length));
      for (const [offset, attempts] of decoded.map.attempts) {
        assert.equal(whole.attempts.get(offset), attempts);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("entriesMax() entries fit, however they are spread over the span", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300_000 }), fc.integer({ min: 1, max: 1000 }), (span, attempts) => {
      const most = entriesMax(span, attempts);
      const count = Math.min(most, Math.floor(span / 2));
      // Every other record settled: as many runs as there can be, as far apart as the span allows.
      const step = Math.max(2, Math.floor(span / Math.max(1, count)));
      const entries = Array.from({ length: count }, () => [
        { gap: 0, settled: false, attempts: 0 },
        { gap: step - 2, settled: true, attempts: 0 },
      ]).flat();
      const ledger = ledgerOf(0, entries);
      const decoded = decodeOffsetMap(encodeOffsetMap(ledger), 0);
      assert.equal(decoded.kind === "map" ? decoded.map.settled.length : 0, ledger.runs);
    }),
    { numRuns: 200 },
  );
});

Deno.test("encodeOffsetMap() takes a bit a record where the runs are many and short, and bitsFit() says how many", () => {
  const alternating = (count: number, counted: number) =>
    ledgerOf(
      7,
      Array.from(
        { length: count },
        (_, n) => ({ gap: 0, settled: n % 2 === 1, attempts: n < 2 * counted ? 8 : 0 }),
      ),
    );
  for (const [count, counted] of [[20_000, 0], [8000, 500]] as const) {
    assert.ok(count / 2 > entriesMax(count, 8), "as runs they would not fit");
    assert.ok(bitsFit(count, counted, 8));
    const ledger = alternating(count, counted);
    const text = encodeOffsetMap(ledger);
    assert.ok(text.length <= METADATA_BYTES_MAX, `${text.length} bytes`);
    assert.deepEqual(decodeOffsetMap(text, 7), { kind: "map", map: contents(ledger) });
    assert.equal(decodeOffsetMap(text, 8).kind, "untrusted");
    assert.equal(decodeOffsetMap(`${text.slice(0, 40)}AAAA${text.slice(44)}`, 7).kind, "untrusted");
  }
  assert.ok(!bitsFit(25_000, 0, 8));
  assert.ok(!bitsFit(8000, 800, 8));
});

Deno.test("entriesMax() allows for attempt counts as well as for runs", () => {
  const most = entriesMax(20_000, 8);
  const entries = Array.from({ length: most }, () => ({ gap: 0, settled: false, attempts: 8 }));
  const ledger = ledgerOf(0, entries);
  const decoded = decodeOffsetMap(encodeOffsetMap(ledger), 0);
  assert.equal(decoded.kind === "map" ? decoded.map.attempts.size : 0, most);
});

Deno.test("decodeOffsetMap() never throws on anybody's text and never trusts it", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `ackpool:1:${rest}`),
    fc.string().map((rest) => `ackpool:2:${rest}`),
    fc.base64String().map((rest) => `ackpool:1:${rest}`),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => `ackpool:1:${btoa(String.fromCharCode(...bytes))}`),
  );
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 300 }), (metadata, committed) => {
      const decoded = decodeOffsetMap(metadata, committed);
      assert.equal(decoded.kind, metadata === "" ? "none" : "untrusted");
    }),
    { numRuns: 2000 },
  );
});

Deno.test("decodeOffsetMap() never trusts a map with a changed character", () => {
  const change = fc.record({ at: fc.nat(), to: fc.constantFrom(..."ABCXYZabcxyz0189+/= !") });
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 60 }), change, (entries, { at, to }) => {
      const ledger = ledgerOf(0, [{ gap: 0, settled: false, attempts: 1 }, ...entries]);
      const text = encodeOffsetMap(ledger);
      const index = at % text.length;
      const changed = text.slice(0, index) + to + text.slice(index + 1);
      const [was, is] = [text, changed].map((each) => decodeOffsetMap(each, 0));
      // The last character before the padding has bits that mean nothing: changing those changes nothing.
      if (is?.kind === "map") assert.deepEqual(is, was);
      else assert.equal(is?.kind, "untrusted");
    }),
    { numRuns: 1000 },
  );
});

Deno.test("decodeOffsetMap() does not trust a map that is about another offset", () => {
  const ledger = ledgerOf(10, [{ gap: 0, settled: false, attempts: 0 }, {
    gap: 0,
    settled: true,
    attempts: 0,
  }]);
  const decoded = decodeOffsetMap(encodeOffsetMap(ledger), 11);
  assert.deepEqual(decoded, { kind: "untrusted", why: "it is about offset 10, not 11" });
});

Deno.test("encodeOffsetMap() says nothing when there is nothing to say", () => {
  assert.equal(encodeOffsetMap(ledgerOf(0, [{ gap: 0, settled: false, attempts: 0 }])), "");
  assert.deepEqual(decodeOffsetMap(null, 5), { kind: "none" });
});

Deno.test("decodeOffsetMap() reads ages back to the minute, and a release before them still reads the attempts", () => {
  const aged = fc.record({
    settled: fc.boolean(),
    attempts: fc.nat({ max: 9 }),
    minutes: fc.nat({ max: 200 }),
  });
  const nowMs = 100 * 86_400_000;
  fc.assert(fc.property(start, fc.array(aged, { minLength: 1, maxLength: 100 }), (from, entries) => {
    const ledger = new Ledger<Attempted>(from);
    for (const { settled, attempts, minutes } of entries) {
      const refusedSinceMs = minutes === 0 ? undefined : nowMs - minutes * 60_000 - 59_999;
      const place = ledger.receive(ledger.position, { attemptsCounted: attempts, refusedSinceMs });
      ledger.markStarted(place);
      if (settled) ledger.settle(place);
    }
    const text = encodeOffsetMap(ledger, METADATA_BYTES_MAX, nowMs);
    const decoded = decodeOffsetMap(text, ledger.committable());
    const { settled, attempts } = contents(ledger);
    const open = entries.map((each, index) => [from + index, each] as const).filter(([, each]) =>
      !each.settled
    );
    const minutes = new Map(
      open.filter(([, each]) => each.minutes > 0).map(([at, each]) => [at, each.minutes]),
    );
    if (settled.length + attempts.size + minutes.size === 0) return assert.equal(decoded.kind, "none");
    assert.ok(decoded.kind === "map");
    assert.deepEqual(decoded.map.settled, settled);
    assert.deepEqual(decoded.map.attempts, attempts);
    assert.deepEqual(decoded.map.refusedMinutes ?? new Map(), minutes);
    assert.deepEqual(attemptsOfOldReader(text), attempts);
  }));
});

Deno.test("encodeOffsetMap() leaves ages out where they would not fit, and nothing else for them", () => {
  const ledgerWith = (refusedSinceMs: number | undefined) => {
    const ledger = new Ledger<Attempted>(0);
    for (let each = 0; each < 900; each++) {
      ledger.markStarted(ledger.receive(each, { attemptsCounted: 3, refusedSinceMs }));
    }
    return ledger;
  };
  const without = encodeOffsetMap(ledgerWith(undefined), METADATA_BYTES_MAX, 1e9);
  assert.equal(encodeOffsetMap(ledgerWith(0), METADATA_BYTES_MAX, 1e9), without);
});

/** How releases read a map's attempts that know of no ages. */
function attemptsOfOldReader(metadata: string): ReadonlyMap<number, number> {
  const bytes = Uint8Array.from(atob(metadata.slice("ackpool:1:".length)), (each) => each.charCodeAt(0));
  const numbers: number[] = [];
  let [value, scale] = [0, 1];
  for (const byte of bytes.subarray(4)) {
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      numbers.push(value);
      [value, scale] = [0, 1];
    }
  }
  const [base = 0, runs = 0, ...rest] = numbers;
  const found = new Map<number, number>();
  let at = base;
  for (let index = runs; index + 1 < rest.length; index += 2) {
    at += rest[index] ?? 0;
    found.set(at, rest[index + 1] ?? 0);
  }
  // None and a count of 0 are the same.
  return new Map([...found].filter(([, attempts]) => attempts > 0));
}
