// createGroupConsumer() sets up a kafkajs consumer: fetch sizes, heartbeat interval, partition assignor.

import { type Cluster, type Consumer, type Kafka, PartitionAssigners } from "kafkajs";
import { type GroupHooks, patchConsumerGroup } from "../kafkajs_patches/live_subscription.ts";
import type { Claim } from "./sticky_assignment.ts";
import { stickyAssignor } from "./sticky_assignor.ts";

/** How long a fetch waits for data, in ms. A resumed partition waits as long when all were paused. */
const FETCH_WAIT_MS = 250;
/** Bytes of one fetch, at most: memory is bounded by the fetch and not by the backlog. */
const FETCH_BYTES_MAX = 8 * 1024 * 1024;
const PARTITION_BYTES_MAX = 1024 * 1024;
/** How soon new partitions of a topic are noticed, in ms. */
const METADATA_AGE_MAX_MS = 5000;

/** What the consumer asks while it runs. */
export interface GroupQuestions extends GroupHooks {
  /** At every request to join: what we have, and since which generation. */
  readonly claim: () => Claim;
  /** Its connections are made. */
  readonly connected: (cluster: Cluster) => void;
}

/** A consumer that is not connected yet. Session timeout in ms. */
export function createGroupConsumer(
  kafka: Kafka,
  { groupId, sessionTimeoutMs }: { readonly groupId: string; readonly sessionTimeoutMs: number },
  { claim, connected, ...hooks }: GroupQuestions,
): Consumer {
  return kafka.consumer({
    groupId,
    // Members of an older release know round robin only; the group uses what all of them know.
    partitionAssigners: [
      patchConsumerGroup(stickyAssignor(claim), hooks, connected),
      PartitionAssigners.roundRobin,
    ],
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: Math.max(60_000, sessionTimeoutMs),
    heartbeatInterval: Math.max(100, Math.min(3000, Math.floor(sessionTimeoutMs / 10))),
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytes: FETCH_BYTES_MAX,
    maxBytesPerPartition: PARTITION_BYTES_MAX,
    metadataMaxAge: METADATA_AGE_MAX_MS,
    allowAutoTopicCreation: false,
  });
}
