import assert from "node:assert/strict";
import { Backpressure } from "../../../../consumer/core/backpressure.ts";
import type { Partition } from "../../../../consumer/core/partition.ts";
import { deliveryOf, type Name, partitionOf } from "./fixtures.ts";

const bounds = { records: 10_000, bytes: 1000, aheadMax: 10 };

function fill(intake: Backpressure<Name>, home: Partition<Name>, count: number, bytes: number) {
  const added = Array.from({ length: count }, () => deliveryOf(home, { bytes }));
  added.forEach((delivery) => intake.add(delivery));
  return added;
}

Deno.test("Intake pauses every partition at the bound in bytes, and resumes all of them at half of it", () => {
  const intake = new Backpressure<Name>(bounds);
  const [large, idle] = [partitionOf(0), partitionOf(1)];
  const held = fill(intake, large, 2, 500);
  assert.deepEqual(intake.regulate(large, [large, idle]), [large, idle]);
  assert.ok(large.paused && idle.paused);
  const [first] = held;
  assert.ok(first !== undefined);
  intake.remove(first);
  large.ledger.settle(first.seq);
  assert.deepEqual(intake.regulate(large, [large, idle]), []);
  held.slice(1).forEach((delivery) => {
    intake.remove(delivery);
    large.ledger.settle(delivery.seq);
  });
  assert.deepEqual(intake.regulate(large, [large, idle]), [large, idle]);
  assert.ok(!large.paused && !idle.paused);
});

Deno.test("Intake takes a record that is larger than the bound, alone", () => {
  const intake = new Backpressure<Name>(bounds);
  const home = partitionOf();
  fill(intake, home, 1, 5000);
  assert.equal(intake.bytes, 5000);
  assert.deepEqual(intake.regulate(home, [home]), [home]);
});

Deno.test("Intake pauses a partition that has run too far ahead of its watermark, and only that one", () => {
  const intake = new Backpressure<Name>(bounds);
  const [ahead, other] = [partitionOf(0), partitionOf(1)];
  fill(intake, ahead, 10, 1);
  assert.deepEqual(intake.regulate(ahead, [ahead, other]), [ahead]);
  const head = ahead.ledger.first();
  assert.ok(head !== undefined);
  ahead.ledger.settle(head.seq);
  assert.deepEqual(intake.regulate(ahead, [ahead, other]), []);
  const next = ahead.ledger.first();
  assert.ok(next !== undefined);
  ahead.ledger.settle(next.seq);
  assert.deepEqual(intake.regulate(ahead, [ahead, other]), [ahead]);
  assert.equal(ahead.paused, false);
});

Deno.test("Intake shares its records between the partitions, but leaves each of them fifty", () => {
  const intake = new Backpressure<Name>({ records: 100, bytes: 1e9, aheadMax: 1e9 });
  const home = partitionOf();
  intake.rebalanceShares(100);
  fill(intake, home, 49, 1);
  assert.deepEqual(intake.regulate(home, [home]), []);
  fill(intake, home, 1, 1);
  assert.deepEqual(intake.regulate(home, [home]), [home]);
});

Deno.test("Intake.forget() gives back what a partition held", () => {
  const intake = new Backpressure<Name>(bounds);
  const [gone, kept] = [partitionOf(0), partitionOf(1)];
  fill(intake, gone, 2, 600);
  intake.regulate(gone, [gone, kept]);
  intake.forget(gone);
  assert.equal(intake.bytes, 0);
  assert.deepEqual(intake.regulate(kept, [kept]), [kept]);
  assert.equal(kept.paused, false);
});
