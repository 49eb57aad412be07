// The brokers campaign: three brokers killed one after another, then restarted in turn with elections, under load.

import { Kafka, logLevel } from "kafkajs";
import type { RealCluster } from "../../support/kafka/real_cluster.ts";
import { SteadyLoad } from "../../support/kafka/steady_load.ts";
import { TestKafka } from "../../support/kafka/test_kafka.ts";
import { startConsumer } from "../../support/processes/consumer_process.ts";
import { until } from "../../support/until.ts";
import { ledAsPreferred } from "./elections.ts";
import { type SeenRequest, StubWorker } from "../../support/workers/stub_worker.ts";
import type { Findings } from "../stage/report.ts";

/** On which cluster, and how much. */
export interface BrokersOptions {
  readonly cluster: RealCluster;
  readonly topics: number;
  readonly partitions: number;
  /** Time between a broker's return and the next one's end, in s. */
  readonly calmSeconds: number;
  readonly report: (what: string) => void;
}

/** What happened between two moments. */
interface Stretch {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Stalls of a stretch, in ms: the longest of any topic, and of any partition. */
interface Stalls extends Stretch {
  readonly delivered: number;
  readonly topicMs: number;
  readonly partitionMs: number;
}

const GROUP = "brokers";
const LIMIT_MS = 120_000;
/** The goals, in ms. */
const TOPIC_STALL_MAX_MS = 15_000;
const PARTITION_STALL_MAX_MS = 30_000;
const SEND_EVERY_MS = 100;

/** Runs the campaign on a cluster of three with elections (elections.ts) that nobody else uses. */
export async function runBrokersCampaign(options: BrokersOptions): Promise<Findings> {
  const { cluster, partitions } = options;
  const topics = Array.from({ length: options.topics }, (_, n) => `tickets-${n}`);
  const admin = new Kafka({ brokers: cluster.brokers.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const configEntries = [{ name: "min.insync.replicas", value: "2" }];
  await admin.createTopics({
    topics: topics.map((topic) => ({
      topic,
      numPartitions: partitions,
      replicationFactor: 3,
      configEntries,
    })),
  });
  await using worker = new StubWorker();
  await using consumer = startConsumer({
    KAFKA_BROKERS: cluster.brokers,
    KAFKA_TOPIC: topics.join(","),
    KAFKA_GROUP_ID: GROUP,
    KAFKA_SESSION_TIMEOUT_MS: "30000",
    WORKER_URL: worker.url,
  });
  await consumer.untilReady(LIMIT_MS);
  const sides = topics.flatMap((topic) => [`${topic}.${GROUP}.dlq`, `${topic}.${GROUP}.retry`]);
  const replicas = await replicasOf(admin, sides);
  const { stretches, sent, kafka } = await underLoad(
    options,
    topics,
    worker,
    () => ledAsPreferred(admin, topics),
  );
  const missing = await missingOf(worker, sent);
  for (const topic of topics) await kafka.untilCommitted(topic, GROUP, LIMIT_MS).catch(() => {});
  await kafka[Symbol.asyncDispose]();
  const code = await consumer.stop();
  await admin.disconnect();
  const stalls = stretches.map((stretch) => stallsOf(stretch, worker.requests, topics, partitions));
  return findings(options, { stalls, sent, missing, replicas, code, delivered: worker.requests.length });
}

async function underLoad(
  { cluster, calmSeconds, report }: BrokersOptions,
  topics: readonly string[],
  worker: StubWorker,
  settled: () => Promise<void>,
) {
  const kafka = await TestKafka.connect(cluster.brokers);
  const loads = topics.map((topic) => new SteadyLoad(kafka, topic, SEND_EVERY_MS));
  await until("some work", () => worker.requests.length > 100, { timeoutMs: LIMIT_MS });
  const stretches: Stretch[] = [];
  const stretch = async (name: string, act: () => Promise<void>) => {
    report(name);
    const fromMs = Date.now();
    await act();
    await settled();
    await new Promise((resolve) => setTimeout(resolve, calmSeconds * 1000));
    stretches.push({ name, fromMs, toMs: Date.now() });
  };
  for (const [at, node] of cluster.nodes.entries()) {
    await stretch(`broker ${at + 1} killed with -9, started again`, async () => {
      await node.kill();
      await node.restart();
    });
  }
  // An orderly end moves its partitions to others; when it is back, elections give them back.
  for (const [at, node] of cluster.nodes.entries()) {
    await stretch(`broker ${at + 1} restarted in order, its leaders elected again`, () => node.restart());
  }
  const sent = (await Promise.all(loads.map((load) => load.stop()))).flat();
  return { stretches, sent, kafka };
}

async function missingOf(worker: StubWorker, sent: readonly string[]): Promise<readonly string[]> {
  const missing = () => {
    const texts = new Set(worker.requests.map(({ text }) => text));
    return sent.filter((text) => !texts.has(text));
  };
  return await until(`${sent.length} records`, () => missing().length === 0 && [], { timeoutMs: LIMIT_MS })
    .catch(missing);
}

/** The longest time without a delivery, of each topic and of each partition that got any. */
function stallsOf(
  stretch: Stretch,
  requests: readonly SeenRequest[],
  topics: readonly string[],
  partitions: number,
): Stalls {
  const inside = requests.filter(({ atMs }) => atMs >= stretch.fromMs && atMs <= stretch.toMs);
  const longest = (prefix: string) => {
    const times = inside.filter(({ key }) => key.startsWith(prefix)).map(({ atMs }) => atMs);
    const all = [stretch.fromMs, ...times.sort((a, b) => a - b), stretch.toMs];
    return Math.max(...all.slice(1).map((atMs, at) => atMs - (all[at] ?? atMs)));
  };
  const numbers = Array.from({ length: partitions }, (_, n) => n);
  return {
    ...stretch,
    delivered: inside.length,
    topicMs: Math.max(...topics.map((topic) => longest(`${topic}/`))),
    partitionMs: Math.max(
      ...topics.flatMap((topic) => numbers.map((number) => longest(`${topic}/${number}/`))),
    ),
  };
}

async function replicasOf(admin: ReturnType<Kafka["admin"]>, topics: readonly string[]): Promise<number> {
  const found = await admin.fetchTopicMetadata({ topics: [...topics] });
  return Math.min(
    ...found.topics.flatMap(({ partitions }) => partitions.map((each) => each.replicas.length)),
  );
}

function findings(
  { topics, partitions }: BrokersOptions,
  { stalls, sent, missing, replicas, code, delivered }: {
    readonly stalls: readonly Stalls[];
    readonly sent: readonly string[];
    readonly missing: readonly string[];
    readonly replicas: number;
    readonly code: number;
    readonly delivered: number;
  },
): Findings {
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  const faults = [
    missing.length > 0 ? `${missing.length} records never delivered: ${missing.slice(0, 5).join(", ")}` : "",
    replicas < 3 ? `a side topic has ${replicas} replicas` : "",
    code !== 0 ? `the consumer ended with ${code}` : "",
    ...stalls.flatMap(({ name, topicMs, partitionMs }) => [
      topicMs > TOPIC_STALL_MAX_MS ? `${name}: a topic stood still for ${topicMs} ms` : "",
      partitionMs > PARTITION_STALL_MAX_MS ? `${name}: a partition stood still for ${partitionMs} ms` : "",
    ]),
  ].filter((fault) => fault !== "");
  return {
    title: `${sent.length} records in ${topics} topics of ${partitions} partitions while brokers go and come`,
    command: `deno task campaign:brokers --topics ${topics} --partitions ${partitions}`,
    tables: [
      [
        ["stretch", "seconds", "delivered", "longest stall of a topic (s)", "of a partition (s)"],
        ...stalls.map(({ name, fromMs, toMs, delivered, topicMs, partitionMs }) => [
          name,
          seconds(toMs - fromMs),
          delivered,
          seconds(topicMs),
          seconds(partitionMs),
        ]),
      ],
      [
        ["measured", "value"],
        ["records never delivered", missing.length],
        ["deliveries beyond one a record", delivered - sent.length],
        ["replicas of a side topic, at least", replicas],
      ],
    ],
    faults,
  };
}
