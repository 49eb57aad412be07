// Compressed batches that unpack to far more than they are, on real Kafka: bounded, told, and the end of nobody.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CompressionTypes, Kafka, logLevel } from "kafkajs";
import { registerCodecs, UNPACKED_BYTES_MAX } from "../../consumer/kafka/client/codecs.ts";
import { Scene } from "../support/processes/consumer_process.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";

const LIMIT_MS = 60_000;
const MiB = 1024 * 1024;

Deno.test("a batch that unpacks to too much becomes one dead letter that says where it lies, and what is behind it is delivered", async () => {
  registerCodecs();
  await using kafka = await TestKafka.start();
  assert.ok(kafka.real, "run this through `deno task test:real`");
  const scene = await Scene.in(kafka);
  const client = new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{
      type: 2,
      name: scene.topic,
      configEntries: [{ name: "max.message.bytes", value: String(10 * MiB) }],
    }],
  });
  await admin.disconnect();
  const producer = client.producer();
  await producer.connect();
  const trap = Buffer.alloc(UNPACKED_BYTES_MAX + MiB);
  // The broker takes what kafkajs writes with these; the other two have unit tests.
  const codecs = ["GZIP", "ZSTD"] as const;
  for (const codec of codecs) {
    const send = (...messages: { value: string | Buffer }[]) =>
      producer.send({
        topic: scene.topic,
        compression: CompressionTypes[codec],
        messages: messages.map((each) => ({ ...each, partition: 0 })),
      });
    await send({ value: `before ${codec}` });
    await send({ value: "in the trap" }, { value: trap });
    await send({ value: `after ${codec}` });
  }
  // Many of the smallest records: few bytes, much memory.
  const tiny = Array.from({ length: 21_000 }, (_, n) => ({ partition: 1, value: String(n) }));
  await producer.send({ topic: scene.topic, compression: CompressionTypes.GZIP, messages: tiny });
  await producer.disconnect();
  await using worker = new StubWorker();
  await using consumer = scene.consumer([worker], { WORKER_CONCURRENCY: "64" });
  await scene.untilCommitted(LIMIT_MS);
  const texts = worker.requests.map(({ text }) => text);
  const expected = codecs.flatMap((codec) => [`before ${codec}`, `after ${codec}`]);
  assert.deepEqual(texts.filter((text) => /^(before|after)/.test(text)), expected);
  assert.equal(new Set(texts.filter((text) => /^\d+$/.test(text))).size, tiny.length);
  assert.ok(!texts.includes("in the trap"));
  const letters = await kafka.read(scene.deadLetterTopic);
  assert.deepEqual(
    letters.map(({ partition, value, headers }) => [
      partition,
      value,
      headers["ackpool-status"],
      headers["ackpool-origin-offset"],
      headers["ackpool-reason"],
    ]),
    codecs.map((_, n) => [
      0,
      null,
      "unreadable",
      String(1 + 4 * n),
      `unreadable-batch: 2 records, offsets ${1 + 4 * n} to ${2 + 4 * n}`,
    ]),
  );
  assert.equal(consumer.logged("record batch dead-lettered unread").length, codecs.length);
  const { notes } = await (await fetch(`${consumer.adminUrl}/readyz?verbose`)).json() as { notes: string[] };
  assert.match(notes.join(), /unreadable-batch: 4 records/);
  const status = await Deno.readTextFile(`/proc/${consumer.child.pid}/status`);
  const peakMiB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
  // One such batch took 872 MiB, and the smallest records of one 5 GiB.
  assert.ok(peakMiB < 500, `${peakMiB} MiB`);
  assert.equal(await consumer.stop(), 0);
  await until("its end", () => consumer.child.status !== undefined);
});
