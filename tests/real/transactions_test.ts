// Records written in transactions on real Kafka: committed ones are delivered, aborted ones never.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { Scene, values } from "../support/processes/consumer_process.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const LIMIT_MS = 60_000;

Deno.test("the consumer delivers what was committed, nothing that was aborted, and comes to lag 0", async () => {
  await using kafka = await TestKafka.start();
  const scene = await Scene.in(kafka);
  const client = new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING });
  await using worker = new StubWorker();
  const producer = client.producer({ transactionalId: "t", idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const committed: string[] = [];
  for (let round = 0; round < 20; round++) {
    const transaction = await producer.transaction();
    const some = values(5, `${round}-`);
    await transaction.send({ topic: scene.topic, messages: some.map((value) => ({ value })) });
    if (round % 3 === 0) await transaction.abort();
    else {
      await transaction.commit();
      committed.push(...some);
    }
  }
  await using consumer = scene.consumer([worker]);
  await scene.untilCommitted(LIMIT_MS);
  assert.deepEqual(worker.requests.map(({ text }) => text).sort(), committed.sort());
  // One that is still open holds back what comes after it, and nothing of it is seen before its end.
  const open = await producer.transaction();
  await open.send({ topic: scene.topic, messages: [{ partition: 0, value: "open" }] });
  await kafka.produce(scene.topic, [{ partition: 0, value: "behind it" }]);
  await open.abort();
  await until("what came after it", () => worker.requests.some(({ text }) => text === "behind it"), {
    timeoutMs: LIMIT_MS,
  });
  await scene.untilCommitted(LIMIT_MS);
  assert.ok(worker.requests.every(({ text }) => text !== "open"));
  assert.equal(worker.requests.length, committed.length + 1);
  await producer.disconnect();
  assert.equal(await consumer.stop(), 0);
});
