import assert from "node:assert/strict";
import { Backpressure } from "../../../../consumer/core/backpressure.ts";
import type { Partition } from "../../../../consumer/core/partition.ts";
import { deliveryOf, type Name, partitionOf } from "./fixtures.ts";

const bounds = { records: 10_000, bytes: 1000 };

function fill(backpressure: Backpressure<Name>, home: Partition<Name>, count: number, bytes: number) {
  const added = Array.from({ length: count }, () => deliveryOf(home, { bytes }));
  added.forEach((delivery) => backpressure.add(delivery));
  return added;
}

Deno.test("Backpressure pauses every partition at the bound in bytes, and resumes all of them at half of it", () => {
  const backpressure = new Backpressure<Name>(bounds);
  const [large, idle] = [partitionOf(0), partitionOf(1)];
  const held = fill(backpressure, large, 2, 500);
  assert.deepEqual(backpressure.regulate(large, [large, idle]), [large, idle]);
  assert.ok(large.paused && idle.paused);
  const [first] = held;
  assert.ok(first !== undefined);
  backpressure.remove(first);
  large.ledger.settle(first.entry);
  assert.deepEqual(backpressure.regulate(large, [large, idle]), []);
  held.slice(1).forEach((delivery) => {
    backpressure.remove(delivery);
    large.ledger.settle(delivery.entry);
  });
  assert.deepEqual(backpressure.regulate(large, [large, idle]), [large, idle]);
  assert.ok(!large.paused && !idle.paused);
});

Deno.test("Backpressure takes a record that is larger than the bound, alone", () => {
  const backpressure = new Backpressure<Name>(bounds);
  const home = partitionOf();
  fill(backpressure, home, 1, 5000);
  assert.equal(backpressure.bytes, 5000);
  assert.deepEqual(backpressure.regulate(home, [home]), [home]);
});

Deno.test("Backpressure shares its records between the partitions, but leaves each of them fifty", () => {
  const backpressure = new Backpressure<Name>({ records: 100, bytes: 1e9 });
  const home = partitionOf();
  backpressure.rebalanceShares(100);
  fill(backpressure, home, 49, 1);
  assert.deepEqual(backpressure.regulate(home, [home]), []);
  fill(backpressure, home, 1, 1);
  assert.deepEqual(backpressure.regulate(home, [home]), [home]);
});

Deno.test("Intake.forget() gives back what a partition held", () => {
  const backpressure = new Backpressure<Name>(bounds);
  const [gone, kept] = [partitionOf(0), partitionOf(1)];
  fill(backpressure, gone, 2, 600);
  backpressure.regulate(gone, [gone, kept]);
  backpressure.forget(gone);
  assert.equal(backpressure.bytes, 0);
  assert.deepEqual(backpressure.regulate(kept, [kept]), [kept]);
  assert.equal(kept.paused, false);
});
