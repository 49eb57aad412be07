// Flow: what operators let through, and one consumer's share of what they set for the group.

import type { TopicPartition } from "../../records/position.ts";

/** What is held: everything, a topic, or one partition. */
export interface Hold {
  readonly topic?: string | undefined;
  /** Only with a topic. */
  readonly partition?: number | undefined;
}

/** What may be sent. Limits are the group's; each consumer has its share by the partitions it has. */
export interface Flow {
  readonly holds: readonly Hold[];
  /** Attempts a second; undefined: no limit. */
  readonly ratePerSecond: number | undefined;
  /** Attempts at once; undefined: as many as the pool takes. */
  readonly permitsMax: number | undefined;
  /** Partitions that the group reads; undefined where that is not known: then its limits count for each consumer. */
  readonly partitions: number | undefined;
}

/** Nothing is held or limited. */
export const FREE_FLOW: Flow = {
  holds: [],
  ratePerSecond: undefined,
  permitsMax: undefined,
  partitions: undefined,
};

/** Whether a partition is held. */
export function isHeld({ topic, partition }: TopicPartition, { holds }: Pick<Flow, "holds">): boolean {
  return holds.some((hold) =>
    (hold.topic === undefined || hold.topic === topic) &&
    (hold.partition === undefined || hold.partition === partition)
  );
}

/** Which part of the group's limits a consumer with so many partitions has: from 0 to 1. */
export function shareOf({ partitions }: Flow, own: number): number {
  return partitions === undefined ? 1 : own / Math.max(partitions, own, 1);
}
