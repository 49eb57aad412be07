import assert from "node:assert/strict";
import { OwnRefusals as Refusals } from "../../../../../shared/pool/limits/own_refusals.ts";
import type { AttemptInFlight } from "../../../../../shared/pool/attempt_in_flight.ts";
import { Balancer } from "../../../../../shared/pool/replicas/balancer.ts";
import { adaptive, drive } from "../../../../bench/limits/drive.ts";
import { HardCap, RateWindow } from "../../../../bench/limits/providers.ts";
import { chance, stream } from "../../../../simulation/random.ts";

/** Attempts at one level, all at one time, none of which is asked to wait. */
class OwnRefusals {
  readonly #refusals = new Refusals();

  recordAccepted(key: string | undefined): void {
    this.#refusals.recordAccepted(key, { number: 1, sentMs: 0, level: 8 });
  }

  recordRefused(key: string | undefined): boolean {
    return this.#refusals.recordRefused(key, { level: 8, started: 1, askedMs: undefined, nowMs: 0 });
  }
}

function accept(own: OwnRefusals, count: number): void {
  for (let each = 0; each < count; each++) own.recordAccepted(`ok-${each}`);
}

Deno.test("OwnRefusals takes a record's second refusal in a row for its own while nearly all others are accepted", () => {
  const own = new OwnRefusals();
  accept(own, 20);
  const refuse = () => {
    accept(own, 1);
    return own.recordRefused("bad");
  };
  assert.deepEqual([refuse(), refuse(), refuse()], [false, true, true]);
  own.recordAccepted("bad");
  assert.equal(own.recordRefused("bad"), false);
});

Deno.test("OwnRefusals takes no refusal for a record's own where half of all first attempts are refused", () => {
  const own = new OwnRefusals();
  for (let each = 0; each < 200; each++) own.recordRefused(`no-${each}`);
  assert.deepEqual([1, 2, 3, 4].map(() => own.recordRefused("no-0")), [false, false, false, false]);
  // When it is over, they are judged again.
  accept(own, 200);
  assert.equal(own.recordRefused("no-0"), true);
});

Deno.test("OwnRefusals knows a tenant's quota by second attempts that are refused as well, whatever record is new", () => {
  const own = new OwnRefusals();
  accept(own, 100);
  for (let each = 0; each < 8; each++) {
    own.recordRefused(`tenant-${each}`);
    accept(own, 10);
    own.recordRefused(`tenant-${each}`);
    accept(own, 10);
  }
  assert.equal(own.recordRefused("tenant-new"), true);
  // Second attempts that are accepted speak for the provider's limit again.
  for (let each = 0; each < 8; each++) {
    own.recordRefused(`other-${each}`);
    own.recordAccepted(`other-${each}`);
    accept(own, 10);
  }
  assert.equal(own.recordRefused("newer"), false);
});

Deno.test("OwnRefusals takes no refusal for a record's own while nobody is accepted: then a budget is spent", () => {
  const own = new OwnRefusals();
  accept(own, 50);
  const keys = ["a", "b", "c"];
  keys.forEach((key) => own.recordRefused(key));
  for (let round = 0; round < 5; round++) {
    assert.deepEqual(keys.map((key) => own.recordRefused(key)), [false, false, false]);
  }
});

Deno.test("OwnRefusals takes attempts without a key for the provider's while nothing else is known", () => {
  const own = new OwnRefusals();
  for (let each = 0; each < 100; each++) own.recordAccepted(undefined);
  assert.deepEqual([1, 2, 3, 4].map(() => own.recordRefused(undefined)), [false, false, false, false]);
});

/** What 80 permits settle a second before a provider that takes `cap` at once. */
function goodput(cap: number, refusedForItself: (number: number) => boolean): number {
  const provider = new HardCap(stream(1), cap);
  return drive({ provider, policy: adaptive(10, 8, 1), forMs: 180_000, warmUpMs: 60_000, refusedForItself })
    .goodput;
}

const SHARES = [
  ["three records that are refused for ever", (number: number) => number <= 3, 0.97],
  ["a tenant that has a twentieth of the records", (number: number) => number % 20 === 0, 0.75],
] as const;

for (const cap of [200, 40]) {
  for (const [name, refused, atLeast] of SHARES) {
    Deno.test(`Balancer goes on as before beside ${name}; the provider takes ${cap} at once`, () => {
      const [beside, alone] = [goodput(cap, refused), goodput(cap, () => false)];
      assert.ok(beside >= atLeast * alone, `${beside} a second instead of ${alone}`);
    });
  }
}

/** Waits of `askedMs`, each at this level; after each an attempt that leaves within it is accepted at `acceptedAt`. */
function disproved(askedMs: number, refusedAt: number, acceptedAt: number): boolean {
  const own = new Refusals();
  for (let each = 0; each < 20; each++) {
    const nowMs = each * 100;
    own.recordRefused(`bad-${each}`, { level: refusedAt, started: each * 10, askedMs, nowMs });
    for (let more = 1; more < 10; more++) {
      own.recordAccepted(`ok-${each}-${more}`, {
        number: each * 10 + more,
        sentMs: nowMs + 1,
        level: acceptedAt,
      });
    }
  }
  return own.recordRefused("new", { level: refusedAt, started: 1000, askedMs, nowMs: 3000 });
}

Deno.test("OwnRefusals believes no long wait where others are accepted meanwhile, unless many at once are refused", () => {
  assert.equal(disproved(300_000, 8, 8), true);
  // A second may be rounded up from less, and more at once than are accepted is too many.
  assert.equal(disproved(1000, 8, 8), false);
  assert.equal(disproved(300_000, 16, 8), false);
});

for (const share of [0.03, 0.1, 0.3]) {
  for (const ownRetryAfterMs of [20_000, 300_000]) {
    const what = `${share * 100}% of the records that are told to wait ${ownRetryAfterMs / 1000} s`;
    Deno.test(`Balancer goes on as before beside ${what}`, () => {
      for (const make of [() => new HardCap(stream(1), 1000), () => new HardCap(stream(1), 20)]) {
        const settled = (refusedForItself: (number: number) => boolean) =>
          drive({
            provider: make(),
            policy: adaptive(4, 8, 1),
            forMs: 120_000,
            warmUpMs: 10_000,
            refusedForItself,
            ownRetryAfterMs,
          }).goodput;
        const alone = settled(() => false);
        const beside = settled((number) => chance(7, number) < share);
        assert.ok(beside >= 0.85 * alone, `${beside} a second instead of ${alone}`);
      }
    });
  }
}

Deno.test("Balancer asks with other records than those that were refused whether a provider's long rest is over", () => {
  const { goodput } = drive({
    provider: new RateWindow(stream(1), 600, false),
    policy: adaptive(4, 8, 1),
    forMs: 240_000,
    refusedForItself: (number) => chance(7, number) < 0.03,
    ownRetryAfterMs: 20_000,
  });
  assert.ok(goodput >= 9, `${goodput} a second instead of 10`);
});

Deno.test("Balancer goes on beside a tenth that is told to wait for minutes, also where records come in bursts", () => {
  const balancer = new Balancer(16, stream(1));
  balancer.setAddresses(["http://a"], 0);
  const waiting: number[] = [];
  const sent: { readonly untilMs: number; readonly record: number; readonly attempt: AttemptInFlight }[] = [];
  let [records, settled] = [0, 0];
  for (let nowMs = 0; nowMs < 60_000; nowMs++) {
    for (; sent[0] !== undefined && sent[0].untilMs <= nowMs; sent.shift()) {
      const refused = sent[0].record % 10 === 0;
      const outcome = {
        kind: "answer",
        ...refused ? { status: 429, retryAfterMs: 300_000 } : { status: 200 },
      } as const;
      balancer.recordFinished(sent[0].attempt, outcome, nowMs, {});
      if (!refused) settled++;
    }
    if (nowMs % 200 === 0) { for (let each = 0; each < 16; each++) waiting.push(++records); }
    while (waiting.length > 0 && sent.length < balancer.permits(nowMs)) {
      const record = waiting.shift() ?? 0;
      const replica = balancer.pick(nowMs);
      assert.ok(replica);
      sent.push({ untilMs: nowMs + 20, record, attempt: balancer.start(replica, nowMs, String(record)) });
    }
  }
  assert.ok(settled > 0.98 * 0.9 * records, `${settled} of ${records * 0.9}`);
});
