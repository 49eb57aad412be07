// What operators hold is not sent, what they limit is shared by partitions, and both change while the machine runs.

import assert from "node:assert/strict";
import { type Flow, FREE_FLOW, isHeld, shareOf } from "../../../../../consumer/core/policies/flow.ts";
import type { MachineConfig } from "../../../../../consumer/core/machine.ts";
import { Driver, recordAt, status } from "../fixtures.ts";

const records = (count: number, first = 0) =>
  Array.from({ length: count }, (_, each) => recordAt(first + each));
const change = (driver: Driver, flow: Partial<Flow>) =>
  driver.feed({ type: "flow_changed", flow: { ...FREE_FLOW, ...flow } });

Deno.test("isHeld() knows everything, a topic, and one partition of it", () => {
  const at = { topic: "t", partition: 3 };
  assert.equal(isHeld(at, { holds: [] }), false);
  assert.equal(isHeld(at, { holds: [{}] }), true);
  assert.equal(isHeld(at, { holds: [{ topic: "u" }, { topic: "t", partition: 2 }] }), false);
  assert.equal(isHeld(at, { holds: [{ topic: "t" }] }), true);
  assert.equal(isHeld(at, { holds: [{ topic: "t", partition: 3 }] }), true);
});

Deno.test("shareOf() is the part of the group's partitions that a consumer has", () => {
  assert.equal(shareOf({ ...FREE_FLOW, partitions: 12 }, 4), 1 / 3);
  assert.equal(
    shareOf({ ...FREE_FLOW, partitions: 2 }, 4),
    1,
    "the topic has grown and nobody has counted yet",
  );
  assert.equal(shareOf(FREE_FLOW, 4), 1);
  assert.equal(shareOf({ ...FREE_FLOW, partitions: 0 }, 0), 0);
});

Deno.test("Machine sends nothing of what is held, neither new nor again, and finishes and commits what is out", () => {
  const driver = new Driver({}, 2).assign({}).receive(records(4));
  assert.deepEqual(driver.sent, [0, 1]);
  change(driver, { holds: [{}] });
  driver.finish(0, status(200));
  assert.deepEqual(driver.sent, []);
  assert.deepEqual(driver.committed, { "t/0": 1 });
  driver.finish(1, status(429, { retryAfterMs: 1000 }));
  driver.pass(5000);
  assert.deepEqual(driver.sent, [], "a retry that is due is held as well");
  assert.equal(driver.machine.view.partitions[0]?.held, true);
  assert.equal(driver.machine.wakeAtMs(driver.nowMs), undefined);
  change(driver, {});
  assert.deepEqual(driver.sent, [1, 2]);
});

Deno.test("Machine holds one topic or one partition, and the others go on", () => {
  const driver = new Driver().assign({}, { partition: 1 });
  change(driver, { holds: [{ topic: "t", partition: 1 }] });
  driver.receive(records(1), 1);
  assert.deepEqual(driver.sent, []);
  driver.receive(records(1), 0);
  assert.deepEqual(driver.sent, [0]);
  change(driver, { holds: [{ topic: "other" }] });
  assert.deepEqual(driver.sent, [0]);
});

Deno.test("Machine holds what is assigned to it later", () => {
  const driver = new Driver();
  change(driver, { holds: [{ topic: "t" }] });
  driver.assign({}).receive(records(2));
  assert.deepEqual(driver.sent, []);
});

Deno.test("Machine writes and commits the dead letters of records that were out when they were held", () => {
  const driver = new Driver({}, 1).assign({}).receive(records(2));
  change(driver, { holds: [{}] });
  driver.finish(0, status(422));
  assert.equal(driver.got("dead_letter").length, 1);
  driver.feed({ type: "dead_letter_written", delivery: driver.delivery(0) });
  assert.deepEqual(driver.committed, { "t/0": 1 });
  assert.deepEqual(driver.sent, []);
});

Deno.test("Machine stops clean while it is held", () => {
  const driver = new Driver({}, 1).assign({}).receive(records(2));
  change(driver, { holds: [{}] });
  driver.feed({ type: "stop_requested" });
  driver.finish(0, status(200));
  driver.answerCommit(true);
  assert.deepEqual(driver.got("stopped"), [{ type: "stopped", clean: true }]);
});

Deno.test("Machine in batch mode forms batches of what is not held, and none waits for what is", () => {
  const driver = new Driver({ mode: "batch" }).assign({}, { partition: 1 });
  driver.receive(records(2), 0);
  driver.receive(records(1), 1);
  assert.deepEqual(driver.sent, [0, 0, 1], "one batch of both");
  driver.finish(0, status(200), 1);
  driver.finish(0, status(200));
  change(driver, { holds: [{ topic: "t", partition: 0 }] });
  driver.finish(1, status(429, { retryAfterMs: 1000 }));
  driver.receive(records(3, 1), 1);
  assert.deepEqual(driver.sent, [1, 2, 3], "the next batch does not wait for the one that is held");
});

/** What is sent within so many ms by a machine that has enough to send and is woken when it asks for it. */
function sentWithin(ms: number, flow: Partial<Flow>, config: Partial<MachineConfig> = {}): number {
  const driver = new Driver(config, 1000).assign({}, { partition: 1 });
  change(driver, flow);
  const [fromMs, before] = [driver.nowMs, driver.all.length];
  driver.receive(records(5000), 0);
  for (;;) {
    const wakeMs = driver.machine.wakeAtMs(driver.nowMs) ?? Infinity;
    if (wakeMs > fromMs + ms) break;
    driver.pass(wakeMs - driver.nowMs);
  }
  return driver.all.slice(before).filter(({ type }) => type === "send").length;
}

Deno.test("Machine sends its share of the group's rate, evenly", () => {
  assert.equal(
    sentWithin(10_000, { ratePerSecond: 50, partitions: 6 }),
    167,
    "a third of 500, the first at once",
  );
  assert.equal(sentWithin(10_000, { ratePerSecond: 1, partitions: 2 }), 11);
  assert.equal(sentWithin(10_000, { ratePerSecond: 0.3, partitions: 6 }), 2);
  assert.equal(
    sentWithin(10_000, { ratePerSecond: 50, partitions: 2 }, { mode: "batch" }),
    3,
    "one batch is out",
  );
});

Deno.test("Machine follows a rate that changes, and a share that a rebalance changes", () => {
  const driver = new Driver({}, 1000).assign({}, { partition: 1 });
  change(driver, { ratePerSecond: 10, partitions: 4 });
  assert.equal(driver.machine.view.ratePerSecond, 5);
  driver.feed({ type: "revoked", partitions: [{ topic: "t", partition: 1 }] });
  assert.equal(driver.machine.view.ratePerSecond, 2.5);
  driver.feed({
    type: "assigned",
    epoch: 2,
    partitions: [1, 2, 3].map((partition) => ({ topic: "t", partition, offset: 0, metadata: null })),
  });
  assert.equal(driver.machine.view.ratePerSecond, 10);
  change(driver, {});
  assert.equal(driver.machine.view.ratePerSecond, undefined);
});

Deno.test("Machine takes no more permits than its share of the ceiling, and one at least", () => {
  const driver = new Driver({}, 8).assign({}, { partition: 1 }).receive(records(20));
  assert.equal(driver.machine.view.inFlight, 8);
  change(driver, { permitsMax: 6, partitions: 4 });
  assert.equal(driver.machine.view.permits, 3);
  for (const offset of [0, 1, 2, 3, 4]) driver.finish(offset, status(200));
  assert.equal(driver.machine.view.inFlight, 3, "what was out is finished, and nothing new begins");
  driver.finish(5, status(200));
  assert.deepEqual(driver.sent, [8]);
  change(driver, { permitsMax: 1, partitions: 100 });
  assert.equal(driver.machine.view.permits, 1);
  change(driver, { permitsMax: 100, partitions: 2 });
  assert.equal(driver.machine.view.permits, 8, "the pool takes no more");
});
