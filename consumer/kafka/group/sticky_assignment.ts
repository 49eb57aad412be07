// The sticky assignment: balanced first, then as it was before. Pure; sticky_assignor.ts speaks the protocol.

import { partitionId, type TopicPartition } from "../../records/position.ts";

/** What a member says it has, and in which generation of the group it got it. */
export interface Claim {
  readonly generation: number;
  readonly owned: readonly TopicPartition[];
}

/** A member of the group. */
export interface GroupMember extends Claim {
  readonly id: string;
  readonly topics: readonly string[];
}

/** Partitions by topic. */
export type PartitionsByTopic = ReadonlyMap<string, readonly number[]>;

/** Partitions by topic, by member. Every member has an entry. */
export type Assignment = ReadonlyMap<string, PartitionsByTopic>;

/** How many of one topic's partitions a member gets. */
interface Quota {
  readonly id: string;
  readonly keeps: readonly number[];
  readonly share: number;
}

/**
 * Deals partitions out. The members that subscribe to a topic get numbers of its partitions that differ by one at
 * most, and where all subscribe to the same topics their totals differ by one at most. Within that, members keep what
 * they have; of two that claim the same partition the one of the later generation does. The same input gives the same
 * assignment, and an assignment fed back in stays as it is.
 */
export function assignPartitions(members: readonly GroupMember[], partitions: PartitionsByTopic): Assignment {
  const dealt = new Map(members.map(({ id }) => [id, new Map<string, readonly number[]>()]));
  const totals = new Map(members.map(({ id }) => [id, 0]));
  const owners = ownersOf(members);
  for (const topic of [...partitions.keys()].sort((a, b) => compare(a, b))) {
    const subscribers = members.filter(({ topics }) => topics.includes(topic)).map(({ id }) => id);
    const quotas = quotasOf(topic, partitions.get(topic) ?? [], subscribers, owners, totals);
    for (const [id, numbers] of deal(partitions.get(topic) ?? [], quotas)) {
      if (numbers.length > 0) dealt.get(id)?.set(topic, numbers);
      totals.set(id, (totals.get(id) ?? 0) + numbers.length);
    }
  }
  return dealt;
}

/** The member that has each `topic/partition`: the claim of the latest generation counts, then the smaller id. */
function ownersOf(members: readonly GroupMember[]): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const byClaim = [...members].sort((a, b) => a.generation - b.generation || compare(b.id, a.id));
  for (const { id, topics, owned } of byClaim) {
    for (const { topic, partition } of owned) {
      if (topics.includes(topic)) owners.set(partitionId({ topic, partition }), id);
    }
  }
  return owners;
}

/** Everybody gets the even share; the rest goes to those with the least so far, and among them to who has the most. */
function quotasOf(
  topic: string,
  partitions: readonly number[],
  subscribers: readonly string[],
  owners: ReadonlyMap<string, string>,
  totals: ReadonlyMap<string, number>,
): readonly Quota[] {
  if (subscribers.length === 0) return [];
  const even = Math.floor(partitions.length / subscribers.length);
  const rest = partitions.length % subscribers.length;
  const ranked = subscribers
    .map((id) => ({
      id,
      owned: partitions.filter((partition) => owners.get(partitionId({ topic, partition })) === id),
      total: totals.get(id) ?? 0,
    }))
    .sort((a, b) => a.total - b.total || b.owned.length - a.owned.length || compare(a.id, b.id));
  return ranked.map(({ id, owned }, rank) => {
    const share = even + (rank < rest ? 1 : 0);
    return { id, share, keeps: [...owned].sort((a, b) => a - b).slice(0, share) };
  });
}

/** What nobody keeps goes to those below their share, lowest numbers first. */
function deal(
  partitions: readonly number[],
  quotas: readonly Quota[],
): ReadonlyMap<string, readonly number[]> {
  const kept = new Set(quotas.flatMap(({ keeps }) => keeps));
  const free = partitions.filter((partition) => !kept.has(partition)).sort((a, b) => a - b);
  let next = 0;
  return new Map(quotas.map(({ id, share, keeps }) => {
    const gained = free.slice(next, next + share - keeps.length);
    next += gained.length;
    return [id, [...keeps, ...gained].sort((a, b) => a - b)];
  }));
}

/** By code unit, so that members on machines with different locales agree. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
