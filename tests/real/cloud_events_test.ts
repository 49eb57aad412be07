// CloudEvents on real Kafka, in binary and structured mode, and their trace.

import assert from "node:assert/strict";
import { Scene } from "../support/processes/consumer_process.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";

const LIMIT_MS = 60_000;

Deno.test("the consumer delivers CloudEvents as HTTP has them, and goes on with their trace", async () => {
  await using kafka = await TestKafka.start();
  const scene = await Scene.in(kafka);
  await using worker = new StubWorker();
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const structured = JSON.stringify({
    specversion: "1.0",
    id: "s",
    source: "/s",
    type: "ticket.created",
    data: { subject: "ü" },
  });
  const first = { partition: 0 }; // one partition, so that offsets order them
  await kafka.produce(scene.topic, [
    {
      ...first,
      value: '{"subject":"b"}',
      headers: {
        ce_specversion: "1.0",
        ce_id: "b",
        ce_source: "/b",
        ce_type: "ticket.created",
        ce_team: "zürich",
        "content-type": "application/json",
        traceparent: trace,
      },
    },
    {
      ...first,
      value: structured,
      headers: { "content-type": "application/cloudevents+json; charset=utf-8" },
    },
  ]);
  await using consumer = scene.consumer([worker]);
  await scene.untilCommitted(LIMIT_MS);
  const [binary, whole] = worker.requests.toSorted((x, y) => x.offset - y.offset);
  const ce = Object.entries(binary?.headers ?? {}).filter(([name]) => name.startsWith("ce-"));
  assert.deepEqual(Object.fromEntries(ce), {
    "ce-specversion": "1.0",
    "ce-id": "b",
    "ce-source": "/b",
    "ce-type": "ticket.created",
    "ce-team": "z%C3%BCrich",
  });
  assert.deepEqual([binary?.text, binary?.headers["content-type"]], [
    '{"subject":"b"}',
    "application/json",
  ]);
  assert.equal(binary?.headers["traceparent"]?.slice(0, 35), trace.slice(0, 35));
  assert.equal(whole?.text, structured);
  assert.equal(whole?.headers["content-type"], "application/cloudevents+json; charset=utf-8");
  assert.equal(Object.keys(whole?.headers ?? {}).filter((name) => name.startsWith("ce-")).length, 0);
  assert.equal(await consumer.stop(), 0);
});
