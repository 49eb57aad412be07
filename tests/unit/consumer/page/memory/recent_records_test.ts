// The ways of the latest records.

import assert from "node:assert/strict";
import type { Outcome } from "../../../../../shared/contract/outcome.ts";
import type { Delivery } from "../../../../../consumer/core/delivery.ts";
import { RecentRecords } from "../../../../../consumer/page/memory/recent_records.ts";
import type { KafkaRecord } from "../../../../../consumer/records/record.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

/** A delivery after so many attempts, as far as is looked at. */
function delivery(offset: number, attemptsSent = 1, reason?: string): Delivery<KafkaRecord> {
  const record: KafkaRecord = {
    topic: "t",
    partition: 0,
    offset,
    timestampMs: 1000,
    key: null,
    value: new TextEncoder().encode("secret text"),
    headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  };
  return { record, attemptsSent, reason } as unknown as Delivery<KafkaRecord>;
}

const answer = (status: number): Outcome => ({ kind: "answer", status });
const seen = (status: number, headers: Record<string, string> = {}) => ({
  outcome: answer(status),
  tookMs: 12.4,
  headers,
});

Deno.test("RecentRecords.latest() tells a record's way, from its writing to its label", () => {
  const records = new RecentRecords();
  records.attemptFinished(delivery(7), seen(503), 2000);
  const headers = { "ackpool-label": "feature%20request;0.93", "ackpool-ticket-id": "a%2F1" };
  records.attemptFinished(delivery(7, 2), seen(200, headers), 3000);
  assert.deepEqual(records.latest({ find: "t/0/7" }, 10), [{
    at: "t/0/7",
    written: "1970-01-01T00:00:01.000Z",
    decision: "settled",
    decided: "1970-01-01T00:00:03.000Z",
    attempts: [
      { ended: "1970-01-01T00:00:02.000Z", took_ms: 12, status: "503", said: null },
      { ended: "1970-01-01T00:00:03.000Z", took_ms: 12, status: "200", said: null },
    ],
    ticket_id: "a/1",
    label: "feature request",
    confidence: 0.93,
    reason: null,
    trace_id: trace,
  }]);
});

Deno.test("RecentRecords.latest() finds by ticket, decision, label and status, the latest first", () => {
  const records = new RecentRecords();
  records.attemptFinished(
    delivery(1),
    seen(200, { "ackpool-label": "bug;0.5", "ackpool-ticket-id": "9" }),
    0,
  );
  records.attemptFinished(delivery(2), seen(422), 100);
  records.deadLettered(delivery(2, 1, "rejected"), 150);
  records.attemptFinished(delivery(3), seen(200, { "ackpool-label": "billing" }), 200);
  const found = (filter: Parameters<typeof records.latest>[0]) =>
    records.latest(filter, 10).map(({ at }) => at);
  assert.deepEqual(found({}), ["t/0/3", "t/0/2", "t/0/1"]);
  assert.deepEqual(found({ find: "9" }), ["t/0/1"]);
  assert.deepEqual(found({ label: "billing" }), ["t/0/3"]);
  assert.deepEqual(found({ status: "422" }), ["t/0/2"]);
  assert.deepEqual(found({ decision: "dead-lettered" }), ["t/0/2"]);
  assert.deepEqual(found({ topic: "t", decision: "settled", label: "other" }), []);
});

Deno.test("RecentRecords keep twenty a second of those that go well, and 2,000 at most", () => {
  const records = new RecentRecords();
  for (let ms = 0; ms < 1000; ms++) records.attemptFinished(delivery(ms), seen(200), ms);
  assert.equal(records.latest({}, 10_000).length, 20);
  for (let at = 0; at < 5000; at++) records.attemptFinished(delivery(10_000 + at), seen(500), 2000 + at * 5);
  assert.equal(records.latest({}, 10_000).length, 2000);
});

Deno.test("RecentRecords keep nothing of what is in a record, and survive any header", () => {
  const records = new RecentRecords();
  const headers = { "ackpool-label": "%E0%A4%A;x", "ackpool-ticket-id": "%" };
  records.attemptFinished(delivery(1), seen(200, headers), 0);
  const [one] = records.latest({}, 1);
  assert.deepEqual([one?.label, one?.confidence, one?.ticket_id], ["%E0%A4%A", null, "%"]);
  assert.doesNotMatch(JSON.stringify(one), /secret/);
});
