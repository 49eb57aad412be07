import assert from "node:assert/strict";
import { OwnRefusals } from "../../../../../shared/pool/limits/own_refusals.ts";
import { adaptive, drive } from "../../../../bench/limits/drive.ts";
import { HardCap } from "../../../../bench/limits/providers.ts";
import { stream } from "../../../../simulation/random.ts";

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
