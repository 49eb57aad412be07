// Patches what kafkajs makes of topic metadata: a topic or a partition that is away costs itself and nothing else.

import type { Cluster } from "kafkajs";
import BrokerPool from "kafkajs/src/cluster/brokerPool.js";
import ClusterClass from "kafkajs/src/cluster/index.js";
import { createErrorFromCode } from "kafkajs/src/protocol/error.js";
import metadataV0 from "kafkajs/src/protocol/requests/metadata/v0/response.js";
import metadataV1 from "kafkajs/src/protocol/requests/metadata/v1/response.js";
import metadataV2 from "kafkajs/src/protocol/requests/metadata/v2/response.js";
import metadataV3 from "kafkajs/src/protocol/requests/metadata/v3/response.js";
import metadataV4 from "kafkajs/src/protocol/requests/metadata/v4/response.js";
import metadataV5 from "kafkajs/src/protocol/requests/metadata/v5/response.js";
import metadataV6 from "kafkajs/src/protocol/requests/metadata/v6/response.js";

/** One topic as a broker describes it. */
interface TopicMetadata {
  readonly topicErrorCode: number;
  readonly topic: string;
  readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
}

/** A broker's answer. */
interface Metadata {
  topicMetadata: readonly TopicMetadata[];
  /** What was asked about and cannot be described, with the broker's error code. Ours. */
  refused?: ReadonlyMap<string, number>;
}

interface MetadataResponse {
  parse(data: Metadata): Promise<Metadata>;
}

/** What is touched of kafkajs's pool of brokers. */
interface Pool {
  readonly metadata: Metadata | null;
  readonly metadataMaxAge: number;
  readonly metadataExpireAt: number | null;
  refreshMetadata(topics: readonly string[]): Promise<void>;
  refreshMetadataIfNecessary(topics: readonly string[]): Promise<void>;
}

/** Partitions of one topic, with the offsets that are asked for or found. */
interface TopicOffsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number }[];
}

/** What is touched of a client's connections. */
interface Connections extends Omit<Cluster, "metadata" | "fetchTopicsOffset"> {
  readonly brokerPool: Pool;
  readonly targetTopics: Set<string>;
  metadata(question: { readonly topics?: readonly string[] }): Promise<Metadata>;
  fetchTopicsOffset(topics: readonly TopicOffsets[]): Promise<TopicOffsets[]>;
}

/** As a topic's own error: it is just being made. */
const LEADER_NOT_AVAILABLE = 5;
const UNKNOWN_TOPIC = 3;

const RESPONSES: readonly unknown[] = [
  metadataV0,
  metadataV1,
  metadataV2,
  metadataV3,
  metadataV4,
  metadataV5,
  metadataV6,
];

let patched = false;

/**
 * kafkajs 2.2.4 never forgets a topic it was asked about, asks about all of them at once, and takes the answer for an
 * error if any topic in it is gone or forbidden, or any partition has no leader. So one deleted topic stopped the
 * dead letters of all others, and one broker that was away stopped partitions that it never had. Here such an answer
 * is read for what it says about the others; only who asks about the topic itself gets the error. How old an answer is
 * is measured by a clock that nobody sets.
 */
export function patchTopicMetadata(): void {
  if (patched) return;
  patched = true;
  for (const response of RESPONSES) (response as MetadataResponse).parse = parse;
  patchAge((BrokerPool as { readonly prototype: Pool }).prototype);
  patchQuestions((ClusterClass as unknown as { readonly prototype: Connections }).prototype);
}

/** Why a partition cannot be asked for anything, as far as these connections know; undefined where it can. */
export function partitionError(cluster: Cluster, topic: string, partition: number): Error | undefined {
  if (isLed(cluster, topic, partition)) return undefined;
  const { metadata } = (cluster as unknown as Connections).brokerPool;
  const code = metadata?.refused?.get(topic);
  return code === undefined ? new Error("No broker leads the partition") : createErrorFromCode(code);
}

function isLed(
  cluster: Pick<Cluster, "findTopicPartitionMetadata">,
  topic: string,
  partition: number,
): boolean {
  const known = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) =>
    partitionId === partition
  );
  return known !== undefined && known.leader >= 0;
}

function parse(data: Metadata): Promise<Metadata> {
  const refused = new Map<string, number>();
  for (const { topic, topicErrorCode } of data.topicMetadata) {
    // kafkajs asks again by itself.
    if (topicErrorCode === LEADER_NOT_AVAILABLE) return Promise.reject(createErrorFromCode(topicErrorCode));
    if (topicErrorCode !== 0) refused.set(topic, topicErrorCode);
  }
  const topicMetadata = data.topicMetadata.filter(({ topic }) => !refused.has(topic));
  return Promise.resolve({ ...data, topicMetadata, refused });
}

function patchAge(pool: Pool): void {
  const { refreshMetadata } = pool;
  const refreshedMs = new WeakMap<Pool, number>();

  pool.refreshMetadata = async function (this: Pool, topics): Promise<void> {
    await refreshMetadata.call(this, topics);
    refreshedMs.set(this, performance.now());
  };

  pool.refreshMetadataIfNecessary = async function (this: Pool, topics): Promise<void> {
    const { metadata, metadataExpireAt, metadataMaxAge } = this;
    const ageMs = performance.now() - (refreshedMs.get(this) ?? -Infinity);
    const isKnown = (topic: string) =>
      metadata?.refused?.has(topic) || metadata?.topicMetadata.some((each) => each.topic === topic);
    // kafkajs takes the expiry away where a broker is gone.
    const fresh = metadataExpireAt !== null && ageMs <= metadataMaxAge;
    if (metadata === null || !fresh || !topics.every(isKnown)) await this.refreshMetadata(topics);
  };
}

function patchQuestions(cluster: Connections): void {
  const { metadata, addMultipleTargetTopics, fetchTopicsOffset } = cluster;

  cluster.metadata = async function (this: Connections, { topics = [] } = {}): Promise<Metadata> {
    const answer = await metadata.call(this, { topics });
    for (const topic of topics) throwRefusal(answer, topic);
    return answer;
  };

  cluster.addMultipleTargetTopics = async function (this: Connections, topics: string[]): Promise<void> {
    await addMultipleTargetTopics.call(this, topics);
    const known = this.brokerPool.metadata;
    const missing = topics.filter((topic) => !known?.topicMetadata.some((each) => each.topic === topic));
    // The next who asks about it asks the brokers.
    for (const topic of missing) this.targetTopics.delete(topic);
    const [first] = missing;
    if (first === undefined) return;
    throwRefusal(known, first);
    throw createErrorFromCode(UNKNOWN_TOPIC);
  };

  /** Partitions without a leader are left out of the answer: nobody could say. */
  cluster.fetchTopicsOffset = async function (this: Connections, topics): Promise<TopicOffsets[]> {
    const led = topics.map((each) => ({
      ...each,
      partitions: each.partitions.filter(({ partition }) => isLed(this, each.topic, partition)),
    }));
    const asked = led.filter(({ partitions }) => partitions.length > 0);
    const found = asked.length === 0 ? [] : await fetchTopicsOffset.call(this, asked);
    const silent = topics.filter(({ topic }) => !found.some((each) => each.topic === topic));
    return [...silent.map(({ topic }) => ({ topic, partitions: [] })), ...found];
  };
}

function throwRefusal(answer: Metadata | null, topic: string): void {
  const code = answer?.refused?.get(topic);
  if (code !== undefined) throw createErrorFromCode(code);
}
