// Records that an operator takes out of delivery, wherever they are.

import assert from "node:assert/strict";
import { Driver, recordAt, status } from "./fixtures.ts";

const at = { topic: "t", partition: 0 };
const records = (count: number, key: string | null = null) =>
  Array.from({ length: count }, (_, offset) => recordAt(offset, { key }));
const take = (driver: Driver, offset: number) => driver.feed({ type: "take_requested", at, offset });
const deadLettered = (driver: Driver) =>
  driver.got("dead_letter").map(({ delivery, reason }) => [delivery.offset, reason]);

Deno.test("Machine dead-letters a record that waits for its retry as soon as an operator takes it out", () => {
  const driver = new Driver().assign({}).receive(records(2));
  driver.finish(0, status(409, { retryAfterMs: 1000 }));
  take(driver, 0);
  assert.deepEqual(deadLettered(driver), [[0, "operator"]]);
  driver.feed({ type: "dead_letter_written", delivery: driver.delivery(0) });
  driver.finish(1, status(200));
  driver.pass(1000);
  assert.deepEqual(driver.sent, []);
  driver.answerCommit(true);
  driver.pass(1000);
  assert.equal(driver.machine.view.partitions[0]?.watermark, 2);
});

Deno.test("Machine lets the attempt of a record that is taken out end first, and settles it if that succeeds", () => {
  const driver = new Driver().assign({}).receive(records(2));
  take(driver, 0);
  take(driver, 1);
  assert.deepEqual(deadLettered(driver), []);
  driver.finish(0, status(403));
  assert.deepEqual(deadLettered(driver), [[0, "operator"]]);
  driver.finish(1, status(200));
  assert.deepEqual(deadLettered(driver), []);
  assert.equal(driver.machine.find(at, 1), undefined);
});

Deno.test("Machine takes a record out while delivery is paused, and no token is paid for it", () => {
  const budget = { deadLetters: { burst: 1, share: 0 } };
  const driver = new Driver(budget, 1).assign({}).receive(records(1));
  driver.finish(0, status(403));
  driver.feed({ type: "readiness_checked", ready: false });
  driver.pass(400);
  assert.equal(driver.machine.view.pause?.cause, "misconfigured");
  take(driver, 0);
  assert.deepEqual(deadLettered(driver), [[0, "operator"]]);
  driver.receive([recordAt(1)]).pass(100);
  driver.finish(1, status(422));
  assert.deepEqual(deadLettered(driver), [[1, "rejected"]]);
});

Deno.test("Machine lets a record through that waits for a token when an operator takes it out", () => {
  const driver = new Driver({ deadLetters: { burst: 1, share: 0 } }).assign({}).receive(records(3));
  for (const offset of [0, 1, 2]) driver.finish(offset, status(422));
  take(driver, 2);
  assert.deepEqual(deadLettered(driver), [[2, "rejected"]]);
  assert.equal(driver.machine.view.deadLettersWaiting, 1);
});

Deno.test("Machine takes out a record that waits for its key when it is its turn", () => {
  const driver = new Driver({ mode: "key" }).assign({}).receive(records(3, "k"));
  take(driver, 1);
  assert.deepEqual(deadLettered(driver), []);
  driver.finish(0, status(200));
  assert.deepEqual([driver.sent, deadLettered(driver)], [[], [[1, "operator"]]]);
  driver.feed({
    type: "dead_letter_written",
    delivery: driver.got("dead_letter")[0]?.delivery ?? driver.delivery(1),
  });
  assert.deepEqual(driver.sent, [2]);
});

Deno.test("Machine takes out nothing that it does not hold", () => {
  const driver = new Driver().assign({}).receive(records(1));
  driver.finish(0, status(200));
  assert.equal(driver.machine.find(at, 0), undefined);
  assert.equal(driver.machine.find(at, 7), undefined);
  assert.equal(driver.machine.find({ topic: "t", partition: 1 }, 0), undefined);
  assert.deepEqual(take(driver, 0), []);
});
