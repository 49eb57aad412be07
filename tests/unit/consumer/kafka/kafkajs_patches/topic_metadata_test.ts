import assert from "node:assert/strict";
import ClusterClass from "kafkajs/src/cluster/index.js";
import metadataV6 from "kafkajs/src/protocol/requests/metadata/v6/response.js";
import {
  partitionError,
  patchTopicMetadata,
} from "../../../../../consumer/kafka/kafkajs_patches/topic_metadata.ts";

patchTopicMetadata();

const UNKNOWN = 3;
const FORBIDDEN = 29;
const leader = (partitionId: number, leader: number) => ({
  partitionErrorCode: leader < 0 ? 5 : 0,
  partitionId,
  leader,
  replicas: [1],
  isr: [],
});
const described = (topic: string, ...leaders: readonly number[]) => ({
  topicErrorCode: 0,
  topic,
  partitionMetadata: leaders.map((id, partition) => leader(partition, id)),
});
const refused = (topic: string, topicErrorCode: number) => ({ topicErrorCode, topic, partitionMetadata: [] });

type Described = ReturnType<typeof described>;

/** kafkajs's connections to a broker that describes topics as the test says. */
function clusterThatHears(answer: () => readonly Described[]) {
  let asked: readonly string[] = [];
  const parse = (metadataV6 as { parse(data: unknown): Promise<unknown> }).parse;
  const broker = {
    isConnected: () => true,
    connectionPool: { host: "h", port: 1, rack: null },
    metadata: async (topics: readonly string[]) => {
      asked = topics;
      const topicMetadata = answer().filter(({ topic }) => topics.length === 0 || topics.includes(topic));
      return await parse({ brokers: [{ nodeId: 1, host: "h", port: 1, rack: null }], topicMetadata });
    },
  };
  const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} };
  const cluster = new ClusterClass(
    { logger, brokers: ["h:1"], retry: { retries: 0 }, metadataMaxAge: 60_000 } as never,
  );
  Object.assign(cluster.brokerPool, { seedBroker: broker, brokers: { 1: broker } });
  return { cluster, asked: () => asked };
}

Deno.test("patchTopicMetadata() has a topic that is gone or forbidden cost itself alone", async () => {
  const { cluster } = clusterThatHears(() => [
    described("a", 1),
    refused("gone", UNKNOWN),
    refused("secret", FORBIDDEN),
  ]);
  await assert.rejects(cluster.addMultipleTargetTopics(["gone"]), { type: "UNKNOWN_TOPIC_OR_PARTITION" });
  await assert.rejects(cluster.addMultipleTargetTopics(["secret"]), { type: "TOPIC_AUTHORIZATION_FAILED" });
  await cluster.addMultipleTargetTopics(["a"]);
  assert.equal(cluster.findTopicPartitionMetadata("a").length, 1);
});

Deno.test("patchTopicMetadata() has others described after a topic was deleted that was asked about before", async () => {
  let topics = [described("a", 1), described("b", 1)];
  const { cluster, asked } = clusterThatHears(() => topics);
  await cluster.addMultipleTargetTopics(["a", "b"]);
  topics = [refused("a", UNKNOWN) as Described, described("b", 1), described("new", 1, 1)];
  await cluster.refreshMetadata();
  await cluster.addMultipleTargetTopics(["new"]);
  assert.equal(cluster.findTopicPartitionMetadata("new").length, 2);
  await assert.rejects(cluster.addMultipleTargetTopics(["a"]), { type: "UNKNOWN_TOPIC_OR_PARTITION" });
  topics = [described("a", 1), described("b", 1)];
  await cluster.addMultipleTargetTopics(["a"]);
  assert.deepEqual([...asked()].sort(), ["a", "b", "new"], "it is asked about again once it is back");
});

Deno.test("patchTopicMetadata() knows partitions without a leader, and asks nobody for their offsets", async () => {
  const { cluster } = clusterThatHears(() => [described("a", 1, -1)]);
  await cluster.addMultipleTargetTopics(["a"]);
  assert.equal(cluster.findTopicPartitionMetadata("a").length, 2);
  assert.equal(partitionError(cluster, "a", 0), undefined);
  assert.match(String(partitionError(cluster, "a", 1)), /No broker leads/);
  const nobody = [{ topic: "a", fromBeginning: true, partitions: [{ partition: 1 }] }];
  assert.deepEqual(await cluster.fetchTopicsOffset(nobody), [{ topic: "a", partitions: [] }]);
});

Deno.test("patchTopicMetadata() lists all topics although one is away, and throws for one that is asked about", async () => {
  const { cluster } = clusterThatHears(() => [described("a", -1), refused("gone", UNKNOWN) as Described]);
  const all = await cluster.metadata();
  assert.deepEqual(all.topicMetadata.map(({ topic }: Described) => topic), ["a"]);
  await assert.rejects(cluster.metadata({ topics: ["gone"] }), { type: "UNKNOWN_TOPIC_OR_PARTITION" });
});
