// Patches how kafkajs's consumer group joins: with the topics there are now, once at a time, and wholly or not at all.
//
// kafkajs 2.2.4 takes topics only before it runs, so a change would cost the membership and with it every partition's
// ledger. Each broker has a fetch of its own, and every fetch that meets a reason joins by itself. And where the
// connection breaks between the two halves of a join, the member goes on with its old partitions in the new generation:
// some are read by nobody, others by two.

import type { Cluster, OffsetsByTopicPartition, PartitionAssigner } from "kafkajs";
import ConsumerGroup from "kafkajs/src/consumer/consumerGroup.js";
import { KafkaJSStaleTopicMetadataAssignment } from "kafkajs/src/errors.js";
import type { FetchHooks } from "./group_fetch.ts";

/** Commits offsets in the generation that the member is in. */
export type CommitOffsets = (offsets: OffsetsByTopicPartition) => Promise<void>;

/** What a group is asked while it runs. */
export interface GroupHooks extends FetchHooks {
  /** The topics that are to be read now. */
  readonly topics: () => readonly string[];
  /** A member joins again: partitions may go. */
  readonly rejoining: () => void;
  /** How to commit as the member that is joining, once: kafkajs would retry in whatever generation comes next. */
  readonly commits: (commit: CommitOffsets) => void;
  /** The group has a place for us and we do not know which: this membership has to end. */
  readonly halfJoined: (error: Error) => void;
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
  readonly generationId: number | null;
  commitOffsets: CommitOffsets;
  joinAndSync(): Promise<void>;
  checkForStaleAssignment(): void;
}

/** By the connections of a consumer, which it shares with its assigners. */
const allHooks: WeakMap<Cluster, GroupHooks> = new WeakMap();
const joining: WeakMap<Group, Promise<void>> = new WeakMap();
let patched = false;

/** An assigner whose consumer asks `hooks`. `connected` is told its connections, which topics are made known to. */
export function patchConsumerGroup(
  assigner: PartitionAssigner,
  hooks: GroupHooks,
  connected: (cluster: Cluster) => void,
): PartitionAssigner {
  if (!patched) patch((ConsumerGroup as { readonly prototype: Group }).prototype);
  patched = true;
  return (made) => {
    allHooks.set(made.cluster, hooks);
    connected(made.cluster);
    return assigner(made);
  };
}

/** The hooks of a group's connections; undefined for groups that are not ours. */
export const hooksOf = (cluster: Cluster): GroupHooks | undefined => allHooks.get(cluster);

function patch(group: Group): void {
  const { joinAndSync, checkForStaleAssignment } = group;

  group.joinAndSync = async function (this: Group): Promise<void> {
    const hooks = allHooks.get(this.cluster);
    if (hooks === undefined) return await joinAndSync.call(this);
    const join = joining.get(this) ?? joinOnce(this, hooks, joinAndSync).finally(() => joining.delete(this));
    joining.set(this, join);
    await join;
  };

  group.checkForStaleAssignment = function (this: Group): void {
    if (joining.has(this)) return;
    const topics = allHooks.get(this.cluster)?.topics();
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
}

async function joinOnce(group: Group, hooks: GroupHooks, joinAndSync: () => Promise<void>): Promise<void> {
  const { generationId } = group;
  if (group.partitionsPerSubscribedTopic !== null) hooks.rejoining();
  subscribe(group, hooks.topics());
  hooks.commits((offsets) => group.commitOffsets(offsets));
  try {
    await joinAndSync.call(group);
  } catch (error) {
    if (group.generationId !== generationId) hooks.halfJoined(error as Error);
    throw error;
  }
}

/** The next request to join says these topics. */
function subscribe(group: Group, topics: readonly string[]): void {
  for (const topic of group.topicsSubscribed) {
    if (!topics.includes(topic)) group.cluster.targetTopics.delete(topic);
  }
  for (const topic of topics) {
    group.cluster.targetTopics.add(topic);
    group.topicConfigurations[topic] ??= { fromBeginning: true };
  }
  group.topicsSubscribed = topics;
}

function sameTopics(topics: readonly string[], joinedWith: ReadonlyMap<string, unknown>): boolean {
  return topics.length === joinedWith.size && topics.every((topic) => joinedWith.has(topic));
}
