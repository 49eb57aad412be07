// Lets a running kafkajs group change what it reads, and lets us say what becomes of an offset that does not exist.
//
// kafkajs 2.2.4 takes topics only before it runs, so a change would cost the membership and with it every partition's
// ledger. And where an offset is out of range it commits "the end" or "the beginning" over what the group had, without
// a word of which it was. Both are decided in three methods of its ConsumerGroup, which ask us here.

import type { Cluster, PartitionAssigner } from "kafkajs";
import ConsumerGroup from "kafkajs/src/consumer/consumerGroup.js";
import { KafkaJSStaleTopicMetadataAssignment } from "kafkajs/src/errors.js";
import type { TopicPartition } from "../../records/position.ts";

/** What a group is asked while it runs. */
export interface GroupHooks {
  /** The topics that are to be read now. */
  readonly topics: () => readonly string[];
  /** A member joins again: partitions may go. */
  readonly rejoining: () => void;
  /** The broker does not have the offset that comes next; seeks, or throws to be asked again. */
  readonly outOfRange: (at: TopicPartition) => Promise<void>;
}

/** What is touched of a consumer's connections. */
interface Connections extends Cluster {
  /** The topics that are asked about when metadata are refreshed. */
  readonly targetTopics: Set<string>;
}

/** What is touched of kafkajs's group. */
interface Group {
  readonly cluster: Connections;
  readonly topicConfigurations: Record<string, { readonly fromBeginning: boolean }>;
  topicsSubscribed: readonly string[];
  /** What the last join was made with; null before the first. */
  readonly partitionsPerSubscribedTopic: ReadonlyMap<string, readonly number[]> | null;
  joinAndSync(): Promise<void>;
  checkForStaleAssignment(): void;
  recoverFromOffsetOutOfRange(error: TopicPartition): Promise<void>;
}

/** By the connections of a consumer, which it shares with its assigners. */
const hooksOf: WeakMap<Cluster, GroupHooks> = new WeakMap();
const joining: WeakSet<Group> = new WeakSet();
let listening = false;

/** An assigner whose consumer asks `hooks`. `connected` is told its connections, which topics are made known to. */
export function patchConsumerGroup(
  assigner: PartitionAssigner,
  hooks: GroupHooks,
  connected: (cluster: Cluster) => void,
): PartitionAssigner {
  if (!listening) listen((ConsumerGroup as { readonly prototype: Group }).prototype);
  listening = true;
  return (made) => {
    hooksOf.set(made.cluster, hooks);
    connected(made.cluster);
    return assigner(made);
  };
}

/** These topics are asked about no more: one that does not exist would spoil the answer about all the others. */
export function forgetTopics(cluster: Cluster, gone: readonly string[]): void {
  for (const topic of gone) (cluster as Connections).targetTopics.delete(topic);
}

function listen(group: Group): void {
  const { joinAndSync, checkForStaleAssignment, recoverFromOffsetOutOfRange } = group;

  group.joinAndSync = async function (this: Group): Promise<void> {
    const hooks = hooksOf.get(this.cluster);
    if (hooks !== undefined && this.partitionsPerSubscribedTopic !== null) hooks.rejoining();
    if (hooks !== undefined) subscribe(this, hooks.topics());
    joining.add(this);
    try {
      await joinAndSync.call(this);
    } finally {
      joining.delete(this);
    }
  };

  group.checkForStaleAssignment = function (this: Group): void {
    // Each broker has a fetch of its own; one of them that joins is enough.
    if (joining.has(this)) return;
    const topics = hooksOf.get(this.cluster)?.topics();
    const joinedWith = this.partitionsPerSubscribedTopic;
    if (topics !== undefined && joinedWith !== null && !sameTopics(topics, joinedWith)) {
      // What kafkajs throws itself when a topic has more partitions: it joins again and keeps its member id.
      throw new KafkaJSStaleTopicMetadataAssignment("The topics that are read have changed", {
        topic: topics.find((topic) => !joinedWith.has(topic)) ?? "",
        unknownPartitions: [],
      });
    }
    checkForStaleAssignment.call(this);
  };

  group.recoverFromOffsetOutOfRange = async function (this: Group, error: TopicPartition): Promise<void> {
    const hooks = hooksOf.get(this.cluster);
    if (hooks === undefined) return await recoverFromOffsetOutOfRange.call(this, error);
    await hooks.outOfRange({ topic: error.topic, partition: error.partition });
  };
}

/** The next request to join says these topics. */
function subscribe(group: Group, topics: readonly string[]): void {
  forgetTopics(group.cluster, group.topicsSubscribed.filter((topic) => !topics.includes(topic)));
  for (const topic of topics) {
    group.cluster.targetTopics.add(topic);
    group.topicConfigurations[topic] ??= { fromBeginning: true };
  }
  group.topicsSubscribed = topics;
}

function sameTopics(topics: readonly string[], joinedWith: ReadonlyMap<string, unknown>): boolean {
  return topics.length === joinedWith.size && topics.every((topic) => joinedWith.has(topic));
}
