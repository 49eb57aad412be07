// Records that Kafka's own Java code compressed: a topic with a codec of its own has the broker compress what it gets.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { Scene } from "../support/consumer_process.ts";
import { StubWorker } from "../support/stub_worker.ts";
import { PARTITIONS, TestKafka } from "../support/test_kafka.ts";
import { until } from "../support/until.ts";

const RECORDS = 2000;

Deno.test("the consumer delivers what a Kafka 4.1 broker compressed", async (t) => {
  await using kafka = await TestKafka.start();
  assert.ok(kafka.real, "run this through `deno task test:real`");
  for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
    await t.step(`with ${codec}`, async () => {
      const scene = await Scene.in(kafka);
      const topic = `${scene.topic}-${codec}`;
      const bytes = await makeTopic(kafka.brokers, topic, codec);
      await using worker = new StubWorker();
      const expected = Array.from({ length: RECORDS }, (_, n) => `${n} ${"compressible ".repeat(20)}ü`);
      await kafka.produce(topic, expected.map((value) => ({ value })));
      assert.ok(await bytes() < expected.join("").length / 2, "the broker did not compress");
      await using consumer = scene.consumer([worker], { KAFKA_TOPIC: topic });
      await kafka.untilCommitted(topic, scene.groupId);
      assert.deepEqual(worker.requests.map(({ text }) => text).sort(), expected.sort());
      assert.equal(await consumer.stop(), 0);
    });
  }
});

/** Makes a topic that is compressed by the broker; the answer tells how many bytes its log has. */
async function makeTopic(brokers: string, topic: string, codec: string): Promise<() => Promise<number>> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const configEntries = [{ name: "compression.type", value: codec }];
  await admin.createTopics({
    topics: [{ topic, numPartitions: PARTITIONS, configEntries }],
    waitForLeaders: false,
  });
  await until(
    "its leaders",
    async () => (await admin.fetchTopicOffsets(topic)).length === PARTITIONS,
  );
  await admin.disconnect();
  return () => logBytes(topic);
}

/** The size of a topic's files: the broker of a test run keeps them in a temporary folder. */
async function logBytes(topic: string): Promise<number> {
  let sum = 0;
  for await (const folder of Deno.readDir("/tmp")) {
    if (!folder.name.startsWith("ackpool-kafka-")) continue;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const file = `/tmp/${folder.name}/data/${topic}-${partition}/00000000000000000000.log`;
      sum += (await Deno.stat(file).catch(() => ({ size: 0 }))).size;
    }
  }
  return sum;
}
