// Dead letters on real Kafka of records with no key or value, repeated headers, or bytes that are no text.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import type { KafkaRecord } from "../../consumer/records/record.ts";
import { Scene } from "../support/processes/consumer_process.ts";
import { readRecords } from "../support/kafka/read_committed.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";

const LIMIT_MS = 60_000;

Deno.test("the consumer dead-letters keys, values and headers byte for byte: none, repeated, binary", async () => {
  await using kafka = await TestKafka.start();
  const scene = await Scene.in(kafka);
  const client = new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING });
  await using worker = new StubWorker(() => 422);
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]);
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const first = { partition: 0 }; // one partition, so that offsets order them
  await producer.send({
    topic: scene.topic,
    messages: [
      { ...first, key: null, value: bytes, headers: { twice: ["a", "b"], binary: bytes, empty: "" } },
      { ...first, key: bytes, value: null },
      { ...first, key: "", value: "" },
    ],
  });
  await producer.disconnect();
  await using consumer = scene.consumer([worker]);
  await scene.untilCommitted(LIMIT_MS);
  const letters = [...await readRecords(kafka.brokers, scene.deadLetterTopic)].sort((a, b) =>
    originOf(a) - originOf(b)
  );
  const plain = (each: Uint8Array | null | undefined) => each && new Uint8Array(each).toHex();
  assert.deepEqual(letters.map(({ key, value }) => [plain(key), plain(value)]), [
    [null, "fffe00800a"],
    ["fffe00800a", null],
    ["", ""],
  ]);
  const { twice, binary, empty } = letters[0]?.headers ?? {};
  assert.deepEqual([twice].flat().map(String), ["a", "b"]);
  assert.deepEqual([plain(binary as Uint8Array), String(empty)], ["fffe00800a", ""]);
  assert.equal(await consumer.stop(), 0);
});

const originOf = ({ headers }: KafkaRecord) => Number(String(headers["ackpool-origin-offset"]));
