import assert from "node:assert/strict";
import fc from "fast-check";
import { toRequest } from "../../../../consumer/senders/http_request.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";

const record: KafkaRecord = {
  topic: "support-tickets",
  partition: 3,
  offset: 42,
  timestampMs: 1_700_000_000_123,
  key: null,
  value: new TextEncoder().encode("{}"),
  headers: {},
};

const text = (value: string) => new TextEncoder().encode(value);
const headersOf = (changes: Partial<KafkaRecord>, attempt = 1) =>
  toRequest({ ...record, ...changes }, undefined, attempt, 60_000).headers;

Deno.test("toRequest() names the record, the attempt and the time there is", () => {
  const { traceparent, ...headers } = headersOf({}, 3);
  assert.deepEqual(headers, {
    "content-type": "application/json",
    "idempotency-key": '"support-tickets/3/42"',
    "ackpool-timestamp": "1700000000123",
    "ackpool-attempt": "3",
    "ackpool-deadline": "60000",
  });
  assert.match(traceparent ?? "", /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
});

Deno.test("toRequest() gives all attempts of a record one trace and each a span of its own", () => {
  const [first, second] = [headersOf({}), headersOf({}, 2)].map((headers) =>
    headers["traceparent"]?.split("-")
  );
  assert.equal(first?.[1], second?.[1]);
  assert.notEqual(first?.[2], second?.[2]);
  assert.notEqual(headersOf({ offset: 43 })["traceparent"]?.split("-")[1], first?.[1]);
});

Deno.test("toRequest() carries on the record's own trace, and only one that is well-formed", () => {
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  assert.equal(headersOf({ headers: { traceparent: text(trace) } })["traceparent"], trace);
  assert.notEqual(headersOf({ headers: { traceparent: text("00-xyz") } })["traceparent"], "00-xyz");
});

Deno.test("toRequest() says how often an operator sent a replay again, and believes no other record that", () => {
  const headers = { "ackpool-replays": text("3") };
  const origin = { topic: "orders", partition: 1, offset: 17, timestampMs: 1 };
  assert.equal(toRequest({ ...record, headers }, origin, 1, 1000).headers["ackpool-replays"], "3");
  assert.equal(headersOf({ headers })["ackpool-replays"], undefined);
});

Deno.test("toRequest() sends a tombstone with an empty body and says so", () => {
  const request = toRequest({ ...record, value: null }, undefined, 1, 1000);
  assert.equal(request.body, null);
  assert.equal(request.headers["ackpool-tombstone"], "true");
  assert.equal(headersOf({ value: new Uint8Array() })["ackpool-tombstone"], undefined);
});

Deno.test("toRequest() gives a replay its origin's key and timestamp", () => {
  const origin = { topic: "orders", partition: 1, offset: 17, timestampMs: 1_600_000_000_000 };
  const { headers } = toRequest(record, origin, 1, 1000);
  assert.equal(headers["idempotency-key"], '"orders/1/17"');
  assert.equal(headers["ackpool-timestamp"], "1600000000000");
  assert.equal(headers["ackpool-replays"], "1");
});

Deno.test("toRequest() believes no header of a record that is no replay", () => {
  const forged = headersOf({
    headers: {
      "ackpool-origin-topic": text("orders"),
      "ackpool-origin-partition": text("1"),
      "ackpool-origin-offset": text("17"),
      "ackpool-origin-timestamp": text("1600000000000"),
    },
  });
  assert.equal(forged["idempotency-key"], '"support-tickets/3/42"');
  assert.equal(forged["ackpool-timestamp"], "1700000000123");
});

Deno.test("toRequest() never puts into a header what HTTP forbids there", () => {
  fc.assert(fc.property(fc.uint8Array(), fc.uint8Array(), (type, trace) => {
    const made = headersOf({ headers: { "content-type": type, traceparent: trace } });
    for (const value of Object.values(made)) assert.match(value, /^[\t\x20-\x7e]+$/);
  }));
});

Deno.test("toRequest() takes application/json where content-type is there twice", () => {
  const headers = { "content-type": [text("text/a"), text("text/b")] };
  assert.equal(headersOf({ headers })["content-type"], "application/json");
});
