// Records that another client compressed: librdkafka writes them with each codec, the consumer delivers them as they were.

import assert from "node:assert/strict";
import { KafkaClient } from "kafka-crab-js";
import { Scene } from "../support/processes/consumer_process.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";

const RECORDS = 200;
/** Those that this build of librdkafka has; zstd is in tests/real/codecs_test.ts. */
const CODECS = ["gzip", "snappy", "lz4"] as const;

Deno.test({
  name: "the consumer delivers what librdkafka compressed",
  // librdkafka's threads outlive its producer for a while.
  sanitizeResources: false,
  sanitizeOps: false,
  fn: async (t) => {
    await using kafka = await TestKafka.start();
    for (const codec of CODECS) {
      await t.step(`with ${codec}`, async () => {
        const scene = await Scene.in(kafka);
        await using worker = new StubWorker();
        const expected = Array.from(
          { length: RECORDS },
          (_, index) => `${index} ${"compressible ".repeat(50)}ü`,
        );
        await produceCompressed(kafka.brokers, scene.topic, codec, expected);
        await using consumer = scene.consumer([worker]);
        await scene.untilCommitted();
        assert.deepEqual(worker.requests.map(({ text }) => text).sort(), expected.sort());
        assert.equal(await consumer.stop(), 0);
      });
    }
  },
});

async function produceCompressed(
  brokers: string,
  topic: string,
  codec: typeof CODECS[number],
  values: readonly string[],
): Promise<void> {
  const client = new KafkaClient({
    brokers,
    clientId: "ackpool-test",
    configuration: { "compression.type": codec, "linger.ms": "200" },
  });
  const producer = client.createProducer({
    configuration: { "compression.type": codec, "linger.ms": "200" },
  });
  await producer.send({ topic, messages: values.map((value) => ({ payload: Buffer.from(value) })) });
  await producer.flush();
}
