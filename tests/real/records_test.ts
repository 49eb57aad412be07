// Records that are not plain on real Kafka: aborted ones among committed ones, compacted topics, headers of any kind.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import type { KafkaRecord } from "../../consumer/records/record.ts";
import { startConsumer, values } from "../support/processes/consumer_process.ts";
import { readRecords } from "../support/kafka/read_committed.ts";
import { RealKafka } from "../support/kafka/real_kafka.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const LIMIT_MS = 60_000;

Deno.test("the consumer, with records that are not plain,", async (t) => {
  // A cleaner that looks often, so that a test need not wait for it.
  await using broker = await RealKafka.start({ properties: { "log.cleaner.backoff.ms": "200" } });
  await using kafka = await TestKafka.connect(broker.brokers);
  const client = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  const start = (topic: string, worker: StubWorker) =>
    startConsumer({
      KAFKA_BROKERS: broker.brokers,
      KAFKA_TOPIC: topic,
      KAFKA_GROUP_ID: "g",
      WORKER_URL: worker.url,
    });
  const make = async (topic: string, config: Readonly<Record<string, string>> = {}) => {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1, configEntries }] });
    await until("its leader", async () => (await admin.fetchTopicOffsets(topic)).length === 1);
  };

  await t.step("delivers what was committed, nothing that was aborted, and comes to lag 0", async () => {
    await make("transactions");
    await using worker = new StubWorker();
    const producer = client.producer({ transactionalId: "t", idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const committed: string[] = [];
    for (let round = 0; round < 20; round++) {
      const transaction = await producer.transaction();
      const some = values(5, `${round}-`);
      await transaction.send({ topic: "transactions", messages: some.map((value) => ({ value })) });
      if (round % 3 === 0) await transaction.abort();
      else {
        await transaction.commit();
        committed.push(...some);
      }
    }
    await using consumer = start("transactions", worker);
    await kafka.untilCommitted("transactions", "g", LIMIT_MS);
    assert.deepEqual(worker.requests.map(({ text }) => text).sort(), committed.sort());
    // One that is still open holds back what comes after it, and nothing of it is seen before its end.
    const open = await producer.transaction();
    await open.send({ topic: "transactions", messages: [{ value: "open" }] });
    await kafka.produce("transactions", [{ value: "behind it" }]);
    await open.abort();
    await until("what came after it", () => worker.requests.some(({ text }) => text === "behind it"), {
      timeoutMs: LIMIT_MS,
    });
    await kafka.untilCommitted("transactions", "g", LIMIT_MS);
    assert.ok(worker.requests.every(({ text }) => text !== "open"));
    assert.equal(worker.requests.length, committed.length + 1);
    await producer.disconnect();
    assert.equal(await consumer.stop(), 0);
  });

  await t.step("delivers what compaction has left, tombstones too, and comes to lag 0", async () => {
    await make("compacted", {
      "cleanup.policy": "compact",
      "segment.ms": "100",
      "min.cleanable.dirty.ratio": "0.01",
      "delete.retention.ms": "3600000",
    });
    // The last segment is never compacted: the loop writes new ones until only the latest of each key is left.
    for (let round = 0; round < 3; round++) {
      const records = values(40, "k").map((key) => ({ key, value: `${key} ${round}` }));
      await kafka.produce("compacted", [...records, { key: "gone", value: round === 2 ? null : "there" }]);
    }
    await until("compaction", async () => {
      await kafka.produce("compacted", [{ key: "rolls", value: "the segment" }]);
      const [first] = await readRecords(broker.brokers, "compacted");
      return (first?.offset ?? 0) > 80;
    }, { timeoutMs: LIMIT_MS, everyMs: 300 });
    await using worker = new StubWorker();
    await using consumer = start("compacted", worker);
    await kafka.untilCommitted("compacted", "g", LIMIT_MS);
    const texts = worker.requests.map(({ text }) => text);
    assert.deepEqual(
      texts.filter((text) => text.startsWith("k")).sort(),
      values(40, "k").map((key) => `${key} 2`).sort(),
    );
    assert.equal(worker.requests.filter(({ headers }) => headers["ackpool-tombstone"] === "true").length, 1);
    assert.equal(await consumer.stop(), 0);
  });

  await t.step("delivers CloudEvents as HTTP has them, and goes on with their trace", async () => {
    await make("events");
    await using worker = new StubWorker();
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const structured = JSON.stringify({
      specversion: "1.0",
      id: "s",
      source: "/s",
      type: "ticket.created",
      data: { subject: "ü" },
    });
    await kafka.produce("events", [
      {
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
      { value: structured, headers: { "content-type": "application/cloudevents+json; charset=utf-8" } },
    ]);
    await using consumer = start("events", worker);
    await kafka.untilCommitted("events", "g", LIMIT_MS);
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

  await t.step("dead-letters keys, values and headers byte for byte: none, repeated, binary", async () => {
    await make("odd");
    await using worker = new StubWorker(() => 422);
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]);
    const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({
      topic: "odd",
      messages: [
        { key: null, value: bytes, headers: { twice: ["a", "b"], binary: bytes, empty: "" } },
        { key: bytes, value: null },
        { key: "", value: "" },
      ],
    });
    await producer.disconnect();
    await using consumer = start("odd", worker);
    await kafka.untilCommitted("odd", "g", LIMIT_MS);
    const letters = [...await readRecords(broker.brokers, "odd.g.dlq")].sort((a, b) =>
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
  await admin.disconnect();
});

const originOf = ({ headers }: KafkaRecord) => Number(String(headers["ackpool-origin-offset"]));
