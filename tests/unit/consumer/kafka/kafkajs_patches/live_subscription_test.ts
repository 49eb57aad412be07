// What kafkajs's consumer group asks us, without a broker: the three methods that are touched, and that they are there.

import assert from "node:assert/strict";
import type { Cluster, PartitionAssigner } from "kafkajs";
import ConsumerGroup from "kafkajs/src/consumer/consumerGroup.js";
import {
  type GroupHooks,
  patchConsumerGroup,
} from "../../../../../consumer/kafka/kafkajs_patches/live_subscription.ts";

const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} };

/** A group of kafkajs that is joined with `joinedWith`, on connections of its own. */
function groupOf(joinedWith: readonly string[], hooks: Partial<GroupHooks> | undefined) {
  const cluster = {
    targetTopics: new Set(joinedWith),
    findTopicPartitionMetadata: () => [{ partitionId: 0 }],
  };
  const asCluster = cluster as unknown as Cluster;
  const assigner = { name: "n", version: 0, protocol: () => ({ name: "n", metadata: new Uint8Array() }) };
  const make: PartitionAssigner = (() => assigner) as unknown as PartitionAssigner;
  const all = {
    topics: () => joinedWith,
    rejoining: () => {},
    commits: () => {},
    halfJoined: () => {},
    outOfRange: () => Promise.resolve(),
    unreadable: () => {},
    readable: () => {},
    unread: () => Promise.resolve(),
    takenOut: () => undefined,
    ...hooks,
  };
  const connected: Cluster[] = [];
  if (hooks !== undefined) {
    patchConsumerGroup(make, all, (cluster) => connected.push(cluster))({
      cluster: asCluster,
      groupId: "g",
      logger,
    } as never);
    assert.deepEqual(connected, [asCluster]);
  }
  const group = new ConsumerGroup({
    cluster: asCluster,
    groupId: "g",
    topics: [...joinedWith],
    topicConfigurations: {},
    logger,
    assigners: [assigner],
  } as never) as unknown as {
    partitionsPerSubscribedTopic: Map<string, number[]>;
    topicsSubscribed: string[];
    checkForStaleAssignment(): void;
    joinAndSync(): Promise<void>;
    recoverFromOffsetOutOfRange(error: { topic: string; partition: number }): Promise<void>;
  };
  group.partitionsPerSubscribedTopic = new Map(joinedWith.map((topic) => [topic, [0]]));
  return { group, cluster };
}

Deno.test("patchConsumerGroup() has a group join again when its topics have changed, and only then", () => {
  let topics = ["a", "b"];
  const { group } = groupOf(["a", "b"], { topics: () => topics });
  group.checkForStaleAssignment();
  topics = ["b", "a"];
  group.checkForStaleAssignment();
  for (const changed of [["a"], ["a", "b", "c"], ["a", "c"]]) {
    topics = changed;
    assert.throws(() => group.checkForStaleAssignment(), { name: "KafkaJSStaleTopicMetadataAssignment" });
  }
});

Deno.test("patchConsumerGroup() has a group that joins again ask for the topics there are now, and say so first", async () => {
  const told: string[] = [];
  const { group, cluster } = groupOf(["a", "gone"], {
    topics: () => ["a", "new"],
    rejoining: () => void told.push(`rejoining with ${group.topicsSubscribed.join()}`),
  });
  // Nothing to join here: what matters is what it would have joined with.
  await assert.rejects(group.joinAndSync());
  assert.deepEqual(told, ["rejoining with a,gone"]);
  assert.deepEqual(group.topicsSubscribed, ["a", "new"]);
  assert.deepEqual([...cluster.targetTopics], ["a", "new"]);
});

Deno.test("patchConsumerGroup() changes nothing for a group that is not ours", () => {
  const { group: ours } = groupOf(["a"], { topics: () => ["z"] });
  const { group } = groupOf(["a"], undefined);
  assert.throws(() => ours.checkForStaleAssignment());
  assert.doesNotThrow(() => group.checkForStaleAssignment());
});

/** A coordinator that answers a request to join, and then is not there for the second half. */
const halfway = {
  joinGroup: () =>
    Promise.resolve({ generationId: 8, leaderId: "other", memberId: "me", members: [], groupProtocol: "n" }),
  syncGroup: () =>
    Promise.reject(Object.assign(new Error("closed"), { name: "KafkaJSConnectionClosedError" })),
};

Deno.test("patchConsumerGroup() ends a membership whose join was answered but not heard of to its end", async () => {
  const told: string[] = [];
  const { group, cluster } = groupOf(["a"], { halfJoined: ({ message }) => void told.push(message) });
  Object.assign(cluster, { findGroupCoordinator: () => Promise.resolve(halfway) });
  await assert.rejects(group.joinAndSync(), /closed/);
  assert.deepEqual(told, ["closed"]);
});

Deno.test("patchConsumerGroup() keeps a membership that could not even ask to join", async () => {
  const { group, cluster } = groupOf(["a"], { halfJoined: () => assert.fail("it was not half a join") });
  Object.assign(cluster, { findGroupCoordinator: () => Promise.reject(new TypeError("no coordinator")) });
  await assert.rejects(group.joinAndSync(), /no coordinator/);
});

Deno.test("patchConsumerGroup() has all who want to join share one join", async () => {
  let asked = 0;
  const { group, cluster } = groupOf(["a"], {});
  const { promise, reject } = Promise.withResolvers<never>();
  Object.assign(cluster, { findGroupCoordinator: () => (asked += 1, promise) });
  const joins = [group.joinAndSync(), group.joinAndSync(), group.joinAndSync()];
  reject(new TypeError("enough"));
  for (const join of joins) await assert.rejects(join, /enough/);
  assert.equal(asked, 1);
});
