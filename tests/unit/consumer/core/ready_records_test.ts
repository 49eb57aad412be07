import assert from "node:assert/strict";
import fc from "fast-check";
import type { Delivery } from "../../../../consumer/core/delivery.ts";
import { ReadyRecords } from "../../../../consumer/core/ready_records.ts";
import { deliveryOf, type Name, partitionOf } from "./fixtures.ts";

const always = () => true;

Deno.test("Dispatcher.next() lets partitions take turns, however much each of them has", () => {
  const dispatcher = new ReadyRecords<Name>(always);
  const [busy, quiet] = [partitionOf(0), partitionOf(1)];
  for (let each = 0; each < 4; each++) dispatcher.enqueue(deliveryOf(busy));
  for (let each = 0; each < 2; each++) dispatcher.enqueue(deliveryOf(quiet));
  const turns = Array.from({ length: 6 }, () => dispatcher.next(true)?.partition.partition);
  assert.deepEqual(turns, [0, 1, 0, 1, 0, 0]);
  assert.equal(dispatcher.next(true), undefined);
});

Deno.test("Dispatcher.next() gives a partition's retries before its new records", () => {
  const dispatcher = new ReadyRecords<Name>(always);
  const home = partitionOf();
  const [first, second] = [deliveryOf(home), deliveryOf(home)];
  dispatcher.enqueue(first);
  dispatcher.enqueue(second);
  const sent = dispatcher.next(true);
  assert.equal(sent, first);
  dispatcher.requeue(first);
  assert.equal(dispatcher.next(true), first);
});

Deno.test("Dispatcher.next(false) gives retries only", () => {
  const dispatcher = new ReadyRecords<Name>(always);
  const home = partitionOf();
  dispatcher.enqueue(deliveryOf(home));
  assert.equal(dispatcher.next(false), undefined);
  assert.equal(dispatcher.newRecords, 1);
});

Deno.test("Dispatcher.next() starts nothing of a partition that may not start, and goes on when it may", () => {
  let may = false;
  const dispatcher = new ReadyRecords<Name>(() => may);
  const delivery = deliveryOf(partitionOf());
  dispatcher.enqueue(delivery);
  assert.equal(dispatcher.next(true), undefined);
  may = true;
  assert.equal(dispatcher.next(true), delivery);
});

Deno.test("Dispatcher has one record of a lane on its way, in order, whatever ends first", () => {
  const plan = fc.array(fc.constantFrom("a", "b", undefined), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(plan, fc.infiniteStream(fc.nat()), (lanes, rolls) => {
    const dispatcher = new ReadyRecords<Name>(always);
    const home = partitionOf();
    for (const lane of lanes) dispatcher.enqueue(deliveryOf(home, { lane }));
    const out: Delivery<Name>[] = [];
    const ended: Delivery<Name>[] = [];
    while (ended.length < lanes.length) {
      for (let next = dispatcher.next(true); next !== undefined; next = dispatcher.next(true)) out.push(next);
      const busy = out.map(({ lane }) => lane).filter((lane) => lane !== undefined);
      assert.equal(new Set(busy).size, busy.length);
      const [one] = out.splice((rolls.next().value ?? 0) % out.length, 1);
      assert.ok(one !== undefined);
      ended.push(one);
      dispatcher.release(one);
    }
    for (const lane of ["a", "b"]) {
      const offsets = ended.filter((each) => each.lane === lane).map(({ offset }) => offset);
      assert.deepEqual(offsets, [...offsets].sort((x, y) => x - y));
    }
  }));
});

Deno.test("Dispatcher.next() gives the oldest record whose lane is free, so that little is settled far ahead", () => {
  const dispatcher = new ReadyRecords<Name>(always);
  const home = partitionOf();
  const [first] = ["a", "a", "b", "a"].map((lane) => {
    const delivery = deliveryOf(home, { lane });
    dispatcher.enqueue(delivery);
    return delivery;
  });
  assert.ok(first !== undefined);
  assert.equal(dispatcher.next(true), first);
  dispatcher.release(first);
  const order = [dispatcher.next(true), dispatcher.next(true)].map((each) => each?.offset);
  assert.deepEqual(order, [1, 2]);
});

Deno.test("Dispatcher.nextProbe() prefers a record that was never sent", () => {
  const dispatcher = new ReadyRecords<Name>(always);
  const [one, other] = [partitionOf(0), partitionOf(1)];
  const failed = deliveryOf(one);
  dispatcher.requeue(failed);
  const fresh = deliveryOf(other);
  dispatcher.enqueue(fresh);
  assert.equal(dispatcher.nextProbe(), fresh);
  assert.equal(dispatcher.nextProbe(), failed);
  assert.equal(dispatcher.nextProbe(), undefined);
});

Deno.test("Dispatcher.forget() leaves nothing of a partition to send or to count", () => {
  const dispatcher = new ReadyRecords<Name>(always);
  const home = partitionOf();
  dispatcher.enqueue(deliveryOf(home));
  home.revoked = true;
  dispatcher.forget(home);
  assert.equal(dispatcher.newRecords, 0);
  assert.equal(dispatcher.next(true), undefined);
});
