// Dead letters on real Kafka that a topic refuses as they are: odd headers, sizes, compaction; and large replays.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CompressionTypes, Kafka, logLevel, type Message, Partitioners } from "kafkajs";
import { Signatures } from "../../consumer/dead_letters/signatures.ts";
import { DeadLetterOperations } from "../../consumer/dead_letter_operations.ts";
import type { ReplayRequest } from "../../consumer/dead_letters/replay/request.ts";
import { causeText } from "../../consumer/records/letter_cause.ts";
import type { KafkaRecord } from "../../consumer/records/record.ts";
import { readRecords } from "../support/kafka/read_committed.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { Scene, startConsumer } from "../support/processes/consumer_process.ts";
import { until } from "../support/until.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";

const LIMIT_MS = 60_000;
const MIB = 1024 * 1024;
const FILTER_ALL: ReplayRequest = {
  filter: {},
  rate: undefined,
  max: undefined,
  dryRun: false,
  canary: 0,
  canaryTimeoutMs: 1000,
  replaysMax: 3,
};

function client(kafka: TestKafka): Kafka {
  return new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING });
}

async function send(
  kafka: TestKafka,
  topic: string,
  messages: Message[],
  compression = CompressionTypes.None,
) {
  const producer = client(kafka).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (const message of messages) await producer.send({ topic, compression, messages: [message] });
  await producer.disconnect();
}

/** kafkajs cannot write a header without a value; this lets it, while `write` runs. */
async function withNullHeaders(write: () => Promise<void>): Promise<void> {
  const { byteLength } = Buffer;
  Buffer.byteLength = (value: Parameters<typeof byteLength>[0] | null, ...rest: []) =>
    value === null ? 0 : byteLength(value, ...rest);
  try {
    await write();
  } finally {
    Buffer.byteLength = byteLength;
  }
}

async function makeTopic(kafka: TestKafka, topic: string, config: Readonly<Record<string, string>>) {
  const admin = client(kafka).admin();
  await admin.connect();
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [{ topic, numPartitions: 4, configEntries }], waitForLeaders: true });
  await admin.disconnect();
}

async function setConfig(kafka: TestKafka, topic: string, name: string, value: string) {
  const admin = client(kafka).admin();
  await admin.connect();
  const resource = { type: 2, name: topic, configEntries: [{ name, value }] };
  await admin.alterConfigs({ validateOnly: false, resources: [resource] });
  await admin.disconnect();
}

async function lettersOf(kafka: TestKafka, scene: { readonly deadLetterTopic: string }) {
  const letters = [...await readRecords(kafka.brokers, scene.deadLetterTopic)];
  return letters.sort((a, b) => originOf(a) - originOf(b));
}

/** Committed transactions are seen a moment later. */
async function replaysOf(kafka: TestKafka, topic: string, count: number): Promise<readonly KafkaRecord[]> {
  return await until(`${count} replays`, async () => {
    const records = [...await readRecords(kafka.brokers, topic)];
    return records.length === count ? records : undefined;
  }, { timeoutMs: LIMIT_MS });
}

const originOf = ({ headers }: KafkaRecord) => Number(String(headers["ackpool-origin-offset"]));
const random = (bytes: number) => {
  const value = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 65_536) {
    crypto.getRandomValues(value.subarray(at, Math.min(bytes, at + 65_536)));
  }
  return value;
};

Deno.test("the consumer dead-letters and replays records whatever their headers are called or hold", async () => {
  await using kafka = await TestKafka.start();
  const scene = await Scene.in(kafka);
  let status = 422;
  await using worker = new StubWorker(() => status);
  const odd = Object.fromEntries([
    ["none", null],
    ["twice", ["a", null, "b"]],
    ["constructor", "c"],
    ["toString", ["t", "u"]],
    ["__proto__", "p"],
    ["hasOwnProperty", null],
  ]) as unknown as NonNullable<Message["headers"]>;
  await withNullHeaders(() =>
    send(kafka, scene.topic, [{ partition: 0, key: "k", value: "v", headers: odd }])
  );
  await using consumer = scene.consumer([worker]);
  await scene.untilCommitted(LIMIT_MS);
  const [letter] = await lettersOf(kafka, scene);
  const shown = (record: KafkaRecord | undefined) =>
    Object.keys(odd).map((name) => {
      const value = Object.entries(record?.headers ?? {}).find(([each]) => each === name)?.[1];
      return Array.isArray(value) ? value.map(String) : String(value);
    });
  const expected = ["", ["a", "", "b"], "c", ["t", "u"], "p", ""];
  assert.deepEqual(shown(letter), expected);
  status = 204;
  const operations = new DeadLetterOperations(client(kafka), {
    source: { topics: { names: [scene.topic], patterns: [] }, groupId: scene.groupId },
    deadLetterTopic: undefined,
    retryTopic: undefined,
  }, new Signatures([]));
  const summary = await operations.replay(FILTER_ALL, () => {}, AbortSignal.timeout(LIMIT_MS));
  assert.deepEqual([summary.end, summary.replayed], ["done", 1]);
  const [replayed] = await replaysOf(kafka, scene.retryTopic, 1);
  assert.deepEqual(shown(replayed), expected);
  await operations.close();
  assert.equal(await consumer.stop(), 0);
});

Deno.test("the consumer dead-letters records that are larger than the dead-letter topic takes", async () => {
  await using kafka = await TestKafka.start();
  const topic = `large-${crypto.randomUUID().slice(0, 8)}`;
  const groupId = `g-${topic}`;
  const scene = { deadLetterTopic: `${topic}.${groupId}.dlq` };
  await makeTopic(kafka, topic, { "max.message.bytes": String(8 * MIB) });
  await makeTopic(kafka, scene.deadLetterTopic, {});
  await makeTopic(kafka, `${topic}.${groupId}.retry`, {});
  const at = { partition: 0, key: "k" };
  await send(kafka, topic, [
    { ...at, value: random(3 * MIB), headers: { own: "kept" } },
    { ...at, value: random(MIB - 300), headers: { own: "kept" } },
    { ...at, value: "small", headers: { own: random(2 * MIB) } },
  ]);
  await send(kafka, topic, [{ ...at, value: Buffer.alloc(5 * MIB, "x") }], CompressionTypes.GZIP);
  await using worker = new StubWorker(() => 422);
  await using consumer = startConsumer({
    KAFKA_BROKERS: kafka.brokers,
    KAFKA_TOPIC: topic,
    KAFKA_GROUP_ID: groupId,
    WORKER_URL: worker.url,
  });
  await kafka.untilCommitted(topic, groupId, LIMIT_MS);
  const letters = await lettersOf(kafka, scene);
  assert.deepEqual(
    letters.map(({ key, value, headers }) => [
      String(key),
      value?.length,
      String(headers["ackpool-omitted"] ?? "nothing"),
      String(headers["own"] ?? "none"),
      String(headers["ackpool-origin-topic"]),
      String(headers["ackpool-origin-offset"]),
    ]),
    [
      ["k", undefined, "value", "kept", topic, "0"],
      ["k", undefined, "value", "kept", topic, "1"],
      ["k", undefined, "value,headers", "none", topic, "2"],
      ["k", 5 * MIB, "nothing", "none", topic, "3"],
    ],
  );
  const warnings = consumer.logged("dead letter without its value").map(({ fields }) => fields);
  warnings.sort((a, b) => Number(a["offset"]) - Number(b["offset"]));
  assert.deepEqual(warnings.map(({ cause, offset }) => [cause, offset]), [
    ["too-large-for-dead-letter-topic", 0],
    ["too-large-for-dead-letter-topic", 1],
    ["too-large-for-dead-letter-topic", 2],
  ]);
  const operations = new DeadLetterOperations(client(kafka), {
    source: { topics: { names: [topic], patterns: [] }, groupId },
    deadLetterTopic: undefined,
    retryTopic: undefined,
  }, new Signatures([]));
  const { newest } = await operations.list({ filter: {}, all: false, limit: 10 });
  assert.equal(
    newest.filter(({ letter }) => causeText(letter.cause) === "too-large-for-dead-letter-topic 422").length,
    3,
  );
  // What has no value is not replayed as a tombstone; the other one goes, compressed.
  const summary = await operations.replay(FILTER_ALL, () => {}, AbortSignal.timeout(LIMIT_MS));
  assert.deepEqual([summary.end, summary.replayed, summary.incomplete], ["done", 1, 3]);
  const [replayed] = await replaysOf(kafka, `${topic}.${groupId}.retry`, 1);
  assert.equal(replayed?.value?.length, 5 * MIB);
  await operations.close();
  assert.equal(await consumer.stop(), 0);
});

Deno.test("the consumer says in words that a compacted dead-letter topic takes no letter without a key", async () => {
  await using kafka = await TestKafka.start();
  const topic = `compact-${crypto.randomUUID().slice(0, 8)}`;
  const groupId = `g-${topic}`;
  const deadLetterTopic = `${topic}.${groupId}.dlq`;
  await makeTopic(kafka, topic, {});
  await makeTopic(kafka, deadLetterTopic, { "cleanup.policy": "compact" });
  await send(kafka, topic, [{ partition: 0, key: null, value: "v" }]);
  await using worker = new StubWorker(() => 422);
  await using consumer = startConsumer({
    KAFKA_BROKERS: kafka.brokers,
    KAFKA_TOPIC: topic,
    KAFKA_GROUP_ID: groupId,
    WORKER_URL: worker.url,
  });
  const { details } = await until("the cause in words", async () => {
    const ready = await consumer.ready().catch(() => undefined);
    return ready?.details.includes("compact") ? ready : undefined;
  }, { timeoutMs: LIMIT_MS });
  assert.match(details, new RegExp(`${deadLetterTopic} takes no such record; .*compact.* without a key`));
  const taken = await fetch(`${consumer.adminUrl}/records/${topic}/0/0/dead-letter`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  const { result, why } = await taken.json();
  assert.deepEqual([taken.status, result], [202, "waiting"]);
  assert.match(why, /compact.* without a key/);
  await setConfig(kafka, deadLetterTopic, "cleanup.policy", "delete");
  await kafka.untilCommitted(topic, groupId, LIMIT_MS);
  await consumer.untilReady();
  assert.equal(await consumer.stop(), 0);
});

Deno.test("a replay of 600 letters of 3 KB of one partition arrives whole and in order", async () => {
  await using kafka = await TestKafka.start();
  const scene = await Scene.in(kafka);
  const values = Array.from({ length: 600 }, (_, n) => `${n}:${random(1500).toHex()}`);
  for (let from = 0; from < values.length; from += 100) {
    const some = values.slice(from, from + 100);
    await kafka.produce(scene.topic, some.map((value) => ({ partition: 0, key: "k", value })));
  }
  let status = 422;
  await using worker = new StubWorker(() => status);
  const env = { DEAD_LETTER_BURST: "1000" };
  const consumer = scene.consumer([worker], env);
  await scene.untilCommitted(LIMIT_MS);
  assert.equal(await consumer.stop(), 0);
  status = 204;
  const operations = new DeadLetterOperations(client(kafka), {
    source: { topics: { names: [scene.topic], patterns: [] }, groupId: scene.groupId },
    deadLetterTopic: undefined,
    retryTopic: undefined,
  }, new Signatures([]));
  const summary = await operations.replay(FILTER_ALL, () => {}, AbortSignal.timeout(LIMIT_MS));
  assert.deepEqual([summary.end, summary.meant, summary.replayed], ["done", 600, 600]);
  const replayed = await replaysOf(kafka, scene.retryTopic, 600);
  assert.deepEqual(replayed.map(({ value }) => new TextDecoder().decode(value ?? undefined)), values);
  await operations.close();
});
