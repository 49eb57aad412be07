// `PARK_KEYS` on real Kafka when a topic is made anew or a group is rewound: old dead letters take no record away.

import assert from "node:assert/strict";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { Signatures } from "../../consumer/dead_letters/signatures.ts";
import { DeadLetterOperations } from "../../consumer/dead_letter_operations.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { Scene } from "../support/processes/consumer_process.ts";
import { until } from "../support/until.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";

const LIMIT_MS = 60_000;
const ENV = { PARK_KEYS: "true", DELIVERY_MODE: "key" };

function client(kafka: TestKafka): Kafka {
  return new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING });
}

async function withAdmin(kafka: TestKafka, act: (admin: Admin) => Promise<unknown>): Promise<void> {
  const admin = client(kafka).admin();
  await admin.connect();
  await act(admin);
  await admin.disconnect();
}

const keyed = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ partition: 0, key: `${prefix}${n}`, value: `${prefix}${n}` }));

/** Delivers once; what begins with `bad` becomes a dead letter. Answers with what reached the worker. */
async function deliver(scene: Scene): Promise<readonly string[]> {
  const seen: string[] = [];
  await using worker = new StubWorker((request) => {
    seen.push(request.text);
    return request.text.startsWith("bad") ? 422 : 204;
  });
  await using consumer = scene.consumer([worker], ENV);
  await scene.untilCommitted(LIMIT_MS);
  assert.equal(await consumer.stop(), 0);
  return seen.sort();
}

Deno.test("the consumer, with PARK_KEYS, delivers all of a topic that was made anew beside its old dead letters", async () => {
  await using kafka = await TestKafka.start();
  const scene = await Scene.in(kafka);
  await kafka.produce(scene.topic, [...keyed("bad", 3), ...keyed("good", 2)]);
  assert.deepEqual(await deliver(scene), ["bad0", "bad1", "bad2", "good0", "good1"]);
  await withAdmin(kafka, async (admin) => {
    await admin.deleteTopics({ topics: [scene.topic] });
    const isGone = async () => !(await admin.listTopics()).includes(scene.topic);
    await until("the topic to be gone", isGone, { timeoutMs: LIMIT_MS });
  });
  // A client that has not heard of the old one.
  await using anew = await TestKafka.connect(kafka.brokers);
  await anew.make(scene.topic);
  // The same keys, too: another record of a key is another record.
  await anew.produce(scene.topic, [...keyed("new", 4), ...keyed("good", 2)]);
  assert.deepEqual(await deliver(scene), ["good0", "good1", "new0", "new1", "new2", "new3"]);
});

Deno.test("the consumer, with PARK_KEYS, delivers replayed records again when its group is rewound", async () => {
  await using kafka = await TestKafka.start();
  const scene = await Scene.in(kafka);
  await kafka.produce(scene.topic, [...keyed("bad", 2), ...keyed("good", 1)]);
  assert.deepEqual(await deliver(scene), ["bad0", "bad1", "good0"]);
  const operations = new DeadLetterOperations(client(kafka), {
    source: { topics: { names: [scene.topic], patterns: [] }, groupId: scene.groupId },
    deadLetterTopic: undefined,
    retryTopic: undefined,
  }, new Signatures([]));
  const dropped = await operations.drop(
    { filter: { key: "bad0" }, max: undefined, dryRun: false },
    AbortSignal.timeout(LIMIT_MS),
  );
  assert.equal(dropped.dropped, 1);
  await operations.close();
  await withAdmin(kafka, async (admin) => {
    const rewind = () => admin.resetOffsets({ groupId: scene.groupId, topic: scene.topic, earliest: true });
    await until("the group to be empty", () => rewind().then(() => true, () => undefined), {
      timeoutMs: LIMIT_MS,
    });
  });
  // The other one is an open dead letter still: it is not sent a second time.
  assert.deepEqual(await deliver(scene), ["bad0", "good0"]);
});
