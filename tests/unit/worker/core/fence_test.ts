// Tests of the worker's fence.

import assert from "node:assert/strict";
import { eventOf, isOlder } from "../../../../worker/core/fence.ts";
import { eventAt } from "../../../support/postgres/requests.ts";

const headers = (values: Record<string, string>) => (name: string) => values[name];

Deno.test("eventOf() reads position and timestamp of a record", () => {
  const event = eventOf(
    headers({ "idempotency-key": '"support-tickets/3/42"', "ackpool-timestamp": "1700" }),
    99,
  );
  assert.deepEqual(event, { position: { topic: "support-tickets", partition: 3, offset: 42n }, atMs: 1700 });
});

Deno.test("eventOf() takes the arrival where the caller gives no usable timestamp", () => {
  for (const timestamp of ["", "soon", "-5", "1e3"]) {
    assert.deepEqual(eventOf(headers({ "ackpool-timestamp": timestamp }), 99), {
      position: undefined,
      atMs: 99,
    });
  }
});

Deno.test("eventOf() knows no position behind somebody else's idempotency key", () => {
  assert.equal(eventOf(headers({ "idempotency-key": '"order-17"' }), 99).position, undefined);
});

Deno.test("isOlder() lets timestamps that differ by more than a minute overrule offsets: the topic was made anew", () => {
  const before = eventAt(1_000, 1_000_000);
  assert.equal(isOlder(eventAt(3, 1_060_000), before), true);
  assert.equal(isOlder(eventAt(3, 1_060_001), before), false);
  assert.equal(isOlder(before, eventAt(3, 1_060_001)), true);
  assert.equal(isOlder(eventAt(1_001, 939_999), before), true);
  assert.equal(isOlder(eventAt(1_000, 1), before), false);
});

Deno.test("isOlder() compares offsets inside a partition, whatever timestamps say that are about the same", () => {
  assert.equal(isOlder(eventAt(1, 900), eventAt(2, 100)), true);
  assert.equal(isOlder(eventAt(2, 100), eventAt(1, 900)), false);
  assert.equal(isOlder(eventAt(1), eventAt(1)), false);
});

Deno.test("isOlder() compares timestamps across partitions and topics", () => {
  assert.equal(isOlder(eventAt(5, 100, 0), eventAt(1, 200, 1)), true);
  assert.equal(isOlder(eventAt(5, 200, 0, "retry"), eventAt(1, 100, 0)), false);
  assert.equal(isOlder({ position: undefined, atMs: 1 }, eventAt(1, 2)), true);
});
