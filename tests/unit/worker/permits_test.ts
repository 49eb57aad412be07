// Tests of who gets a worker's permits.

import assert from "node:assert/strict";
import { type Caller, Permits } from "../../../worker/permits.ts";
import { workerApp } from "../../support/workers/worker_app.ts";
import { answer } from "../../support/workers/worker_app.ts";
import { Gate } from "../../support/workers/stub_worker.ts";
import { until } from "../../support/until.ts";

/** How many of these callers get a permit. */
function taken(permits: Permits, caller: Caller, times: number): number {
  return Array.from({ length: times }, () => permits.take(caller)).filter(Boolean).length;
}

Deno.test("Permits.take() keeps the reserved ones for people while deliveries have all others", () => {
  const permits = new Permits(8, 2);
  assert.equal(taken(permits, "delivery", 20), 8);
  assert.equal(taken(permits, "ad_hoc", 20), 2);
  permits.give("ad_hoc");
  assert.equal(taken(permits, "delivery", 1), 0);
  assert.equal(taken(permits, "ad_hoc", 1), 1);
});

Deno.test("Permits.take() leaves deliveries all of theirs while people use what is reserved", () => {
  const permits = new Permits(8, 1);
  assert.equal(taken(permits, "ad_hoc", 1), 1);
  assert.equal(taken(permits, "delivery", 20), 8);
});

Deno.test("Permits.take() gives people an idle replica's permits, and no more than those", () => {
  const permits = new Permits(8, 1);
  assert.equal(taken(permits, "ad_hoc", 20), 8);
  assert.equal(taken(permits, "delivery", 20), 1);
  // Whatever people give back beyond what is theirs goes to deliveries first.
  permits.give("ad_hoc");
  assert.equal(taken(permits, "ad_hoc", 1), 0);
  assert.equal(taken(permits, "delivery", 1), 1);
});

Deno.test("Permits.take() without a reserve is one limit for all", () => {
  const permits = new Permits(2, 0);
  assert.equal(taken(permits, "delivery", 5) + taken(permits, "ad_hoc", 5), 2);
});

Deno.test("Permits.idle() resolves when the last one is back, whoever had it", async () => {
  const permits = new Permits(1, 1);
  permits.take("delivery");
  permits.take("ad_hoc");
  let idle = false;
  const waiting = permits.idle().then(() => idle = true);
  permits.give("delivery");
  await Promise.resolve();
  assert.equal(idle, false);
  permits.give("ad_hoc");
  await waiting;
  await permits.idle();
});

Deno.test("POST /classify answers a person while records have every permit, and a record with a person's key waits like one", async () => {
  const gate = new Gate();
  const { classify, permits, tables } = workerApp({
    concurrency: 2,
    complete: () => gate.opened.then(() => answer('{"category":"billing"}')),
  });
  for (const id of ["1", "2", "3"]) tables.tickets.set(id, { category: null, classifiedAtMs: null });
  const key = (offset: number) => ({ "idempotency-key": `"support-tickets/0/${offset}"` });
  const ticket = { subject: "Invoice", body: "twice" };
  const records = [1, 2].map((offset) => classify({ ...ticket, ticket_id: offset }, key(offset)));
  await until("both records", () => permits.inFlight === 2);
  assert.equal((await classify({ ...ticket, ticket_id: 3 }, key(3))).status, 503);
  const person = classify(ticket, { "idempotency-key": '"my own"' });
  await until("the person's call", () => permits.inFlight === 3);
  const second = await classify(ticket);
  assert.deepEqual([second.status, second.headers.get("retry-after")], [503, "1"]);
  gate.open();
  assert.equal((await person).status, 200);
  await Promise.all(records);
});

Deno.test("Permits.divideAmong() leaves an isolate its share of what the process has, one at least", () => {
  const permits = new Permits(8, 3);
  permits.divideAmong(2);
  assert.equal(taken(permits, "delivery", 20), 4);
  assert.equal(taken(permits, "ad_hoc", 20), 2);
  const few = new Permits(2, 0);
  few.divideAmong(3);
  assert.equal(taken(few, "delivery", 20), 1);
});
