import assert from "node:assert/strict";
import fc from "fast-check";
import type { Delivery } from "../../../../../consumer/core/delivery.ts";
import { ReadyRecords } from "../../../../../consumer/core/dispatch/ready_records.ts";
import { deliveryOf, type Name, partitionOf } from "../fixtures.ts";

const RULES = { parkKeys: false, ordered: true, maxAttempts: 8, metadataBytesMax: 4096 };

Deno.test("ReadyRecords.next() lets partitions take turns, however much each of them has", () => {
  const ready = new ReadyRecords<Name>(RULES);
  const [busy, quiet] = [partitionOf(0), partitionOf(1)];
  for (let each = 0; each < 4; each++) ready.enqueue(deliveryOf(busy));
  for (let each = 0; each < 2; each++) ready.enqueue(deliveryOf(quiet));
  const turns = Array.from({ length: 6 }, () => ready.next(true, true)?.partition.partition);
  assert.deepEqual(turns, [0, 1, 0, 1, 0, 0]);
  assert.equal(ready.next(true, true), undefined);
});

Deno.test("ReadyRecords.next() has no partition wait longer than a turn of each other one, however quickly those are filled again", () => {
  // Which partitions get records before each turn; the first always have a backlog.
  const fetches = fc.array(fc.array(fc.nat({ max: 5 }), { maxLength: 4 }), { minLength: 30, maxLength: 200 });
  fc.assert(
    fc.property(fetches, (turns) => {
      const ready = new ReadyRecords<Name>(RULES);
      const partitions = Array.from({ length: 6 }, (_, each) => partitionOf(each));
      const waited = partitions.map(() => 0);
      const left = partitions.map(() => 0);
      for (const filled of turns) {
        for (const each of [0, 0, 1, 1, ...filled]) {
          const partition = partitions[each];
          if (partition === undefined) continue;
          ready.enqueue(deliveryOf(partition));
          left[each] = (left[each] ?? 0) + 1;
        }
        const taken = ready.next(true, true)?.partition.partition ?? -1;
        left[taken] = (left[taken] ?? 0) - 1;
        partitions.forEach((_, each) => {
          waited[each] = each === taken || left[each] === 0 ? 0 : (waited[each] ?? 0) + 1;
          assert.ok((waited[each] ?? 0) <= partitions.length, `partition ${each} waits`);
        });
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("ReadyRecords.next() gives a partition's retries before its new records", () => {
  const ready = new ReadyRecords<Name>(RULES);
  const home = partitionOf();
  const [first, second] = [deliveryOf(home), deliveryOf(home)];
  ready.enqueue(first);
  ready.enqueue(second);
  const sent = ready.next(true, true);
  assert.equal(sent, first);
  first.start(0);
  ready.requeue(first);
  assert.equal(ready.next(true, true), first);
});

Deno.test("ReadyRecords.next(false, true) gives retries only", () => {
  const ready = new ReadyRecords<Name>(RULES);
  const home = partitionOf();
  ready.enqueue(deliveryOf(home));
  assert.equal(ready.next(false, true), undefined);
  assert.equal(ready.newRecords, 1);
});

Deno.test("ReadyRecords.next() starts nothing of a partition that may not start, and goes on when it may", () => {
  const ready = new ReadyRecords<Name>({ ...RULES, metadataBytesMax: 44 });
  const partition = partitionOf();
  const started = Array.from({ length: 3 }, () => deliveryOf(partition));
  started.forEach(({ entry }) => partition.ledger.markStarted(entry));
  const delivery = deliveryOf(partition);
  ready.enqueue(delivery);
  assert.equal(ready.next(true, true), undefined);
  assert.ok(ready.isMapFull(partition));
  for (const { entry } of started) partition.ledger.settle(entry);
  ready.linger(partition, 1);
  assert.equal(ready.next(true, true), undefined);
  ready.linger(partition, -1);
  assert.equal(ready.next(true, true), delivery);
});

Deno.test("ReadyRecords has one record of a lane on its way, in order, whatever ends first", () => {
  const plan = fc.array(fc.constantFrom("a", "b", undefined), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(plan, fc.infiniteStream(fc.nat()), (lanes, rolls) => {
    const ready = new ReadyRecords<Name>(RULES);
    const home = partitionOf();
    for (const lane of lanes) ready.enqueue(deliveryOf(home, { lane }));
    const out: Delivery<Name>[] = [];
    const ended: Delivery<Name>[] = [];
    while (ended.length < lanes.length) {
      for (let next = ready.next(true, true); next !== undefined; next = ready.next(true, true)) {
        out.push(next);
      }
      const busy = out.map(({ lane }) => lane).filter((lane) => lane !== undefined);
      assert.equal(new Set(busy).size, busy.length);
      const [one] = out.splice((rolls.next().value ?? 0) % out.length, 1);
      assert.ok(one !== undefined);
      ended.push(one);
      ready.release(one);
    }
    for (const lane of ["a", "b"]) {
      const offsets = ended.filter((each) => each.lane === lane).map(({ offset }) => offset);
      assert.deepEqual(offsets, [...offsets].sort((x, y) => x - y));
    }
  }));
});

Deno.test("ReadyRecords.next() gives the oldest record whose lane is free, so that little is settled far ahead", () => {
  const ready = new ReadyRecords<Name>(RULES);
  const home = partitionOf();
  const [first] = ["a", "a", "b", "a"].map((lane) => {
    const delivery = deliveryOf(home, { lane });
    ready.enqueue(delivery);
    return delivery;
  });
  assert.ok(first !== undefined);
  assert.equal(ready.next(true, true), first);
  ready.release(first);
  const order = [ready.next(true, true), ready.next(true, true)].map((each) => each?.offset);
  assert.deepEqual(order, [1, 2]);
});

Deno.test("ReadyRecords.nextProbe() prefers a record that was never sent", () => {
  const ready = new ReadyRecords<Name>(RULES);
  const [one, other] = [partitionOf(0), partitionOf(1)];
  const failed = deliveryOf(one);
  failed.start(0);
  ready.requeue(failed);
  const fresh = deliveryOf(other);
  ready.enqueue(fresh);
  assert.equal(ready.nextProbe(), fresh);
  assert.equal(ready.nextProbe(), failed);
  assert.equal(ready.nextProbe(), undefined);
});

Deno.test("ReadyRecords.forget() leaves nothing of a partition to send or to count", () => {
  const ready = new ReadyRecords<Name>(RULES);
  const home = partitionOf();
  ready.enqueue(deliveryOf(home));
  home.revoked = true;
  ready.forget(home);
  assert.equal(ready.newRecords, 0);
  assert.equal(ready.next(true, true), undefined);
});
