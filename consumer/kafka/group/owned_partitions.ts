// OwnedPartitions: the partitions we have, each with its epoch and the next offset to come.

import { partitionId, type TopicPartition } from "../../records/position.ts";

/** A partition that is ours. */
export interface OwnedPartition extends TopicPartition {
  /** The assignment it came with; what belongs to an older one is void. */
  readonly epoch: number;
  /** The next offset to come. */
  readonly position: number;
}

/** What a join means for what we hold. */
export interface Join {
  readonly kept: readonly OwnedPartition[];
  readonly lost: readonly OwnedPartition[];
  readonly gained: readonly TopicPartition[];
}

/** What we hold. Pure bookkeeping: the source tells it what Kafka said. */
export class OwnedPartitions {
  readonly #owned: Map<string, OwnedPartition> = new Map();
  #memberId: string | undefined;
  #generation = 0;
  #attempts = 0;
  #epoch = 0;

  /** All of them. */
  get all(): readonly OwnedPartition[] {
    return [...this.#owned.values()];
  }

  /** The group's generation as far as it was seen, for the assignor. */
  get generation(): number {
    return this.#generation;
  }

  /** The holding of a partition; undefined where it is not ours. */
  find(at: TopicPartition): OwnedPartition | undefined {
    return this.#owned.get(partitionId(at));
  }

  /** We ask to join, and may be counted into a generation whether we hear of its assignment or not. */
  joining(): void {
    this.#attempts += 1;
  }

  /** The coordinator took a heartbeat of ours in this generation. */
  heartbeat(generation: number): void {
    this.#generation = generation;
  }

  /**
   * We joined with this assignment. Under the same member id, what we had stays ours with all its state: the broker
   * keeps a member id only while the member takes part in every generation. After a second request to join we may
   * have taken part in a generation without hearing who got what, so then everything starts afresh.
   */
  joined(memberId: string, assigned: readonly TopicPartition[]): Join {
    const ids = new Set(assigned.map(partitionId));
    const same = this.#memberId === memberId && this.#attempts <= 1;
    const lost = this.all.filter((held) => !same || !ids.has(partitionId(held)));
    for (const held of lost) this.#owned.delete(partitionId(held));
    this.#memberId = memberId;
    this.#attempts = 0;
    this.#generation += 1;
    return { kept: this.all, lost, gained: assigned.filter((at) => !this.#owned.has(partitionId(at))) };
  }

  /** These are ours now, in a new epoch. */
  take(partitions: readonly (TopicPartition & { readonly offset: number })[]): number {
    const epoch = ++this.#epoch;
    for (const { topic, partition, offset } of partitions) {
      this.#owned.set(partitionId({ topic, partition }), { topic, partition, epoch, position: offset });
    }
    return epoch;
  }

  /** Everything below `position` was received. */
  advance(at: TopicPartition, position: number): void {
    const held = this.find(at);
    if (held !== undefined) this.#owned.set(partitionId(at), { ...held, position });
  }

  /** We are not a member any more. Returns what we held. */
  clear(): readonly OwnedPartition[] {
    const lost = this.all;
    this.#owned.clear();
    this.#memberId = undefined;
    this.#attempts = 0;
    return lost;
  }
}
