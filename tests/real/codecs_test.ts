// Records that others compressed: librdkafka, which kcat writes with, and Kafka's own Java code in the broker.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { Scene } from "../support/processes/consumer_process.ts";
import { produceWithKcat } from "../support/kafka/kcat.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { PARTITIONS, TestKafka } from "../support/kafka/test_kafka.ts";
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
      const size = await bytes();
      assert.ok(size > 0 && size < expected.join("").length / 2, `the broker did not compress: ${size}`);
      await using consumer = scene.consumer([worker], { KAFKA_TOPIC: topic });
      await kafka.untilCommitted(topic, scene.groupId);
      assert.deepEqual(worker.requests.map(({ text }) => text).sort(), expected.sort());
      assert.equal(await consumer.stop(), 0);
    });
  }
});

Deno.test("the consumer delivers byte for byte what kcat compressed", async (t) => {
  await using kafka = await TestKafka.start();
  assert.ok(kafka.real, "run this through `deno task test:real`");
  // Text that compresses, bytes that do not, bytes that are no text, and one that is larger than a snappy block.
  const written = [
    ...Array.from({ length: 100 }, (_, n) => new TextEncoder().encode(`${n} ${"compressible ".repeat(20)}ü`)),
    ...Array.from({ length: 20 }, () => crypto.getRandomValues(new Uint8Array(1000))),
    Uint8Array.of(0xff, 0xfe, 0x00, 0x0a, 0x80),
    new Uint8Array(200_000).fill(0x61),
  ];
  for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
    await t.step(`with ${codec}`, async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker();
      await produceWithKcat({ brokers: kafka.brokers, topic: scene.topic, codec, values: written });
      assert.equal(await codecOf(scene.topic), codec);
      await using consumer = scene.consumer([worker]);
      await scene.untilCommitted();
      const bytes = (values: readonly Uint8Array[]) => values.map((value) => value.toBase64()).sort();
      assert.deepEqual(bytes(worker.requests.map(({ body }) => body)), bytes(written));
      assert.equal(await consumer.stop(), 0);
    });
  }
});

/** Makes a topic that is compressed by the broker; the result is how many bytes its log has. */
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

/** The size of a topic's files. */
async function logBytes(topic: string): Promise<number> {
  const logs = await logsOf(topic);
  return logs.reduce((sum, { length }) => sum + length, 0);
}

/** The codec of the first record batch in a topic's files: the low bits of its attributes. */
async function codecOf(topic: string): Promise<string | undefined> {
  // Offset 8, length 4, leader epoch 4, magic 1, checksum 4: then the attributes.
  const written = (await logsOf(topic)).find(({ length }) => length > 22);
  if (written === undefined) return undefined;
  return ["none", "gzip", "snappy", "lz4", "zstd"][new DataView(written.buffer).getUint16(21) & 7];
}

/** What the broker of this test run has of a topic, a log a partition. */
async function logsOf(topic: string): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const folder = Deno.env.get("KAFKA_LOGS_TEST");
  assert.ok(folder !== undefined, "run this through `deno task test:real`");
  return await Promise.all(
    Array.from(
      { length: PARTITIONS },
      (_, partition) => Deno.readFile(`${folder}/${topic}-${partition}/00000000000000000000.log`),
    ),
  );
}
