import assert from "node:assert/strict";
import type { Delivery } from "../../../../../consumer/core/delivery.ts";
import { Driver, type Name, recordAt, status } from "../fixtures.ts";

const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, each) => recordAt(from + each));

/** What was sent, in order, of the records that are out. */
function out(driver: Driver): Delivery<Name>[] {
  const sent = driver.all.filter((command) => command.type === "send").map(({ delivery }) => delivery);
  return [...new Set(sent)].filter(({ state }) => state === "in_flight");
}

/** A machine with 8 permits and so many records whose first attempt failed and whose retry is due. */
function withFailed(count: number, waiting: number): Driver {
  const driver = new Driver({ maxAttempts: 8 }, count + 20).assign({}).receive(records(count + 20));
  for (let offset = count; offset < count + 20; offset++) driver.finish(offset, status(200));
  for (let offset = 0; offset < count; offset++) driver.finish(offset, status(500));
  driver.feed({ type: "readiness_checked", ready: true });
  driver.feed({ type: "permits_changed", permits: 8 });
  if (waiting > 0) driver.receive(records(waiting, count + 20));
  return driver;
}

Deno.test("Dispatcher gives records that failed before half of the permits where no new one waits", () => {
  const driver = withFailed(10, 0);
  driver.pass(1000);
  assert.equal(out(driver).length, 4);
  driver.receive(records(1, 30));
  assert.deepEqual(driver.sent, [30]);
});

Deno.test("Dispatcher gives records that failed before a quarter of the permits while new ones wait", () => {
  const driver = withFailed(10, 40);
  driver.pass(1000);
  for (let turn = 0; turn < 30; turn++) {
    const settled = out(driver).find(({ hasFailed }) => !hasFailed);
    if (settled !== undefined) driver.finish(settled.offset, status(200));
    assert.equal(out(driver).length, 8);
    assert.ok(out(driver).filter(({ hasFailed }) => hasFailed).length <= 2);
  }
  assert.equal(out(driver).filter(({ hasFailed }) => hasFailed).length, 2);
});

Deno.test("Dispatcher with a single permit lets new records and those that failed before take turns", () => {
  const driver = withFailed(10, 40);
  driver.pass(1000);
  driver.feed({ type: "permits_changed", permits: 1 });
  const turns: boolean[] = [];
  for (let turn = 0; turn < 16; turn++) {
    const [oldest] = out(driver);
    if (oldest === undefined) break;
    driver.finish(oldest.offset, status(oldest.hasFailed ? 500 : 200));
    if (driver.sent.length > 0) turns.push(driver.delivery(driver.sent[0] ?? -1).hasFailed);
  }
  assert.deepEqual(turns.slice(0, 4), [true, false, true, false]);
});

Deno.test("Dispatcher sends records that were held or limited elsewhere before new ones: nothing speaks against them", () => {
  const driver = new Driver({}, 1).assign({}).receive(records(3));
  driver.finish(0, status(409, { retryAfterMs: 100 }));
  assert.deepEqual(driver.sent, [1]);
  driver.pass(100);
  driver.finish(1, status(200));
  assert.deepEqual(driver.sent, [0]);
});
