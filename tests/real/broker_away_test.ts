// Consumers on clusters of several real brokers, one of which goes away: what it had waits, everything else is delivered.

import assert from "node:assert/strict";
import { type Admin, ConfigResourceTypes, Kafka, logLevel } from "kafkajs";
import { RealCluster } from "../support/kafka/real_cluster.ts";
import type { RealKafka } from "../support/kafka/real_kafka.ts";
import { SteadyLoad } from "../support/kafka/steady_load.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { startConsumer } from "../support/processes/consumer_process.ts";
import { ELECTING, ledAsPreferred } from "../chaos/brokers/elections.ts";
import { startTask } from "../chaos/stage/tasks.ts";
import { until } from "../support/until.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";

const LIMIT_MS = 90_000;
const [TOPIC, GROUP] = ["tickets", "g"];
const SIDES = [`${TOPIC}.${GROUP}.dlq`, `${TOPIC}.${GROUP}.retry`];

/** An admin that a broker which is away does not stop. */
async function adminOf(brokers: string): Promise<Admin> {
  const admin = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  return admin;
}

/** `deno task consumer` on a cluster, with a session that outlives a moved coordinator. */
const consumerOf = (brokers: string, worker: StubWorker, env: Readonly<Record<string, string>> = {}) =>
  startConsumer({
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC: TOPIC,
    KAFKA_GROUP_ID: GROUP,
    WORKER_URL: worker.url,
    KAFKA_SESSION_TIMEOUT_MS: "10000",
    ...env,
  });

/** Waits until all were delivered; what is missing is looked for in the topic. */
async function settled(worker: StubWorker, sent: readonly string[], kafka?: TestKafka): Promise<void> {
  const missing = () => {
    const texts = new Set(worker.requests.map(({ text }) => text));
    return sent.filter((text) => !texts.has(text));
  };
  try {
    await until(`${sent.length} records`, () => missing().length === 0, { timeoutMs: LIMIT_MS });
  } catch (error) {
    const left = new Set(missing());
    const there = (await kafka?.read(TOPIC) ?? []).filter(({ value }) =>
      left.has(new TextDecoder().decode(value ?? undefined))
    );
    const places = there.map(({ partition, offset }) => `${partition}@${offset}`).slice(0, 20);
    throw new Error(`${left.size} are missing, ${there.length} of them are in the topic: ${places}`, {
      cause: error,
    });
  }
}

Deno.test("the consumer on three brokers loses nothing while each is killed with -9 and comes back, nor in elections; its side topics are as safe as the source", async () => {
  await using cluster = await RealCluster.start(3, { properties: ELECTING });
  const admin = await adminOf(cluster.brokers);
  const configEntries = [
    { name: "min.insync.replicas", value: "2" },
    { name: "max.message.bytes", value: "2000000" },
  ];
  await admin.createTopics({
    topics: [{ topic: TOPIC, numPartitions: 6, replicationFactor: 3, configEntries }],
  });
  await using kafka = await TestKafka.connect(cluster.brokers);
  await using worker = new StubWorker();
  await using consumer = consumerOf(cluster.brokers, worker);
  await consumer.untilReady(LIMIT_MS);
  for (const topic of SIDES) {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    assert.deepEqual(topics[0]?.partitions.map(({ replicas }) => replicas.length), Array(6).fill(3), topic);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{
        type: ConfigResourceTypes.TOPIC,
        name: topic,
        configNames: configEntries.map(({ name }) => name),
      }],
    });
    assert.deepEqual(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]).sort(),
      configEntries.map(({ name, value }) => [name, value]).sort(),
    );
  }
  const loading = new SteadyLoad(kafka, TOPIC);
  await until("some work", () => worker.requests.length > 100);
  for (const node of cluster.nodes) {
    await node.kill();
    await work(worker, "work beside a broker that is away");
    await node.restart();
    await work(worker, "work after it is back");
    await inSync(admin);
  }
  // In order, too: its partitions go to others, and are given back by an election.
  await cluster.node(1).restart();
  await ledAsPreferred(admin, [TOPIC]);
  await work(worker, "work under the leaders that were elected");
  const sent = await loading.stop();
  await settled(worker, sent, kafka);
  await kafka.untilCommitted(TOPIC, GROUP, LIMIT_MS);
  assert.equal(await consumer.stop(), 0);
  await admin.disconnect();
});

Deno.test("the consumer on two brokers delivers on while one is away", async (t) => {
  await using cluster = await RealCluster.start(2);
  const [first, second] = [cluster.node(1), cluster.node(2)] as const;
  const admin = await adminOf(cluster.brokers);
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 4, replicationFactor: 2 }] });
  await using kafka = await TestKafka.connect(cluster.brokers);
  await using worker = new StubWorker();

  await t.step("what is replicated twice, whichever of them it is", async () => {
    await using consumer = consumerOf(cluster.brokers, worker);
    await consumer.untilReady(LIMIT_MS);
    const loading = new SteadyLoad(kafka, TOPIC);
    await until("some work", () => worker.requests.length > 100);
    for (const node of [second, first]) {
      await node.kill();
      await work(worker, "work on one broker");
      await node.restart();
      await inSync(admin, 2);
    }
    const sent = await loading.stop();
    await settled(worker, sent, kafka);
    await kafka.untilCommitted(TOPIC, GROUP, LIMIT_MS);
    assert.equal(await consumer.stop(), 0);
  });

  await t.step("and says which side topics that were there are weaker than their source", async () => {
    const weak = `${TOPIC}.weak.dlq`;
    await admin.createTopics({ topics: [{ topic: weak, numPartitions: 4, replicationFactor: 1 }] });
    await using consumer = consumerOf(cluster.brokers, worker, { KAFKA_GROUP_ID: "weak" });
    await consumer.untilReady(LIMIT_MS);
    const words = new RegExp(`${weak} has 1 of the 2 replicas of ${TOPIC}`);
    const { notes } = await until("a note", async () => {
      const verbose = await (await fetch(`${consumer.adminUrl}/readyz?verbose`)).json() as {
        notes: string[];
      };
      return verbose.notes.length > 0 && verbose;
    }, { timeoutMs: LIMIT_MS });
    assert.match(notes.join(), words);
    assert.match(consumer.logged("weak side topic").map(({ text }) => text).join(), words);
    await using lag = startTask("lag", "lag", {
      KAFKA_BROKERS: cluster.brokers,
      KAFKA_TOPIC: TOPIC,
      KAFKA_GROUP_ID: "weak",
    }, []);
    assert.equal((await lag.exit).code, 0);
    assert.match(lag.lines.map(({ text }) => text).join("\n"), words);
    assert.equal(await consumer.stop(), 0);
  });

  await t.step("the partitions that still have a leader, and says which have none", async () => {
    const topic = "apart";
    await admin.createTopics({
      topics: [{
        topic,
        replicaAssignment: [{ partition: 0, replicas: [1] }, { partition: 1, replicas: [2] }],
      }],
    });
    await using consumer = consumerOf(cluster.brokers, worker, { KAFKA_TOPIC: topic });
    await consumer.untilReady(LIMIT_MS);
    await produceTo(first, topic, 0, ["before"]);
    await settled(worker, ["before"]);
    await second.kill();
    await produceTo(first, topic, 0, ["still", "here"]);
    await settled(worker, ["still", "here"]);
    const { details } = await consumer.untilCause("partitions-unreadable", LIMIT_MS);
    assert.match(details, /apart\/1 /);
    assert.doesNotMatch(details, /apart\/0 /);
    // One that comes new is read as far as it can be, too.
    await using other = consumerOf(cluster.brokers, worker, { KAFKA_TOPIC: topic, KAFKA_GROUP_ID: "late" });
    await until(
      "its first partition",
      () => worker.requests.filter(({ text }) => text === "still").length === 2,
      { timeoutMs: LIMIT_MS },
    );
    await second.restart();
    await produceTo(second, topic, 1, ["back"]);
    await until(
      "the other partition, for both",
      () => worker.requests.filter(({ text }) => text === "back").length === 2,
      { timeoutMs: LIMIT_MS },
    );
    await consumer.untilReady(LIMIT_MS);
    assert.deepEqual([await consumer.stop(), await other.stop()], [0, 0]);
  });
  await t.step("with PARK_KEYS: only those wait whose dead letters lie where no broker leads", async () => {
    const [topic, groupId] = ["parked", "p"];
    await admin.createTopics({
      topics: [
        { topic, numPartitions: 2, replicationFactor: 2 },
        ...["dlq", "retry"].map((side) => ({
          topic: `${topic}.${groupId}.${side}`,
          replicaAssignment: [{ partition: 0, replicas: [1] }, { partition: 1, replicas: [2] }],
        })),
      ],
    });
    await inSync(admin, 2, topic);
    await second.kill();
    await using consumer = consumerOf(first.brokers, worker, {
      KAFKA_TOPIC: topic,
      KAFKA_GROUP_ID: groupId,
      DELIVERY_MODE: "key",
      PARK_KEYS: "true",
    });
    await produceTo(first, topic, 0, ["parked-0"]);
    await produceTo(first, topic, 1, ["parked-1"]);
    await settled(worker, ["parked-0"]);
    const { details } = await consumer.untilCause("dead-letters-unread", LIMIT_MS);
    assert.match(details, /parked\.p\.dlq\/1/);
    assert.ok(worker.requests.every(({ text }) => text !== "parked-1"));
    await second.restart();
    await settled(worker, ["parked-1"]);
    assert.equal(await consumer.stop(), 0);
  });
  await admin.disconnect();
});

async function work(worker: StubWorker, what: string): Promise<void> {
  const before = worker.requests.length;
  await until(what, () => worker.requests.length > before + 100, { timeoutMs: LIMIT_MS });
}

async function inSync(admin: Admin, replicas = 3, topic = TOPIC): Promise<void> {
  await until("all replicas to be in sync", async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.every(({ isr }) => isr.length === replicas);
  }, { timeoutMs: LIMIT_MS });
}

async function produceTo(
  node: RealKafka,
  topic: string,
  partition: number,
  texts: readonly string[],
): Promise<void> {
  // kafkajs itself does not produce to a topic of which another partition has no leader: a producer a try.
  await until(`${topic}/${partition} to take records`, async () => {
    const producer = new Kafka({ brokers: [node.brokers], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    try {
      await producer.send({ topic, messages: texts.map((value) => ({ partition, value })) });
      return true;
    } finally {
      await producer.disconnect();
    }
  }, { timeoutMs: LIMIT_MS });
}
