// Where reading of a partition starts: what the group committed for it, or where the reset policy says.

import type { Admin, Kafka } from "kafkajs";
import type { Assigned } from "../../core/events.ts";
import { partitionId, type TopicPartition } from "../../records/position.ts";
import { LazyAdmin } from "../client/lazy_admin.ts";
import { toOffset } from "../message.ts";

/** Where the group goes that has no offset, or one that the broker does not have. */
export type Reset = "earliest" | "latest";

/** A starting point. */
export interface Start extends Assigned {
  /** The group has no offset there: the policy said where. */
  readonly reset: boolean;
}

/** A partition's first offset and the one after its last, as readers of committed records see it. */
export interface LogEnds {
  readonly low: number;
  readonly high: number;
}

/** What starting points follow from. */
export interface StartingConfig {
  readonly groupId: string;
  readonly reset: Reset;
  /** The topics there were when we began. */
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: number;
    readonly replays: boolean;
  }[];
}

/** Reads starting points with a connection of its own, made when it is first needed. */
export class StartingOffsets {
  readonly #admin: LazyAdmin;
  readonly #groupId: string;
  readonly #reset: Reset;
  /** Partitions that policy `latest` speaks of, by topic: those there were when we began, and no replays. */
  readonly #old: ReadonlyMap<string, number>;

  /** @param kafka with few retries: it is asked again. */
  constructor(kafka: Kafka, { groupId, reset, topics }: StartingConfig) {
    this.#admin = new LazyAdmin(kafka);
    this.#groupId = groupId;
    this.#reset = reset;
    const old = topics.filter(({ replays }) => !replays);
    this.#old = new Map(old.map(({ topic, partitions }) => [topic, partitions]));
  }

  /**
   * The starting points of these partitions.
   *
   * @throws whatever the broker said; the next call begins with a fresh connection, which knows new partitions.
   */
  async of(added: readonly TopicPartition[]): Promise<readonly Start[]> {
    if (added.length === 0) return [];
    return await this.#asking((admin) => this.#read(admin, added));
  }

  /**
   * Where a partition's log begins and ends now.
   *
   * @throws see {@link of}.
   */
  async ends(at: TopicPartition): Promise<LogEnds> {
    return await this.#asking(async (admin) => {
      const ends = (await readEnds(admin, [at])).get(partitionId(at));
      if (ends === undefined) throw new Error(`Cannot find the offsets of ${partitionId(at)}`);
      return ends;
    });
  }

  /** Where the policy sends the group. A partition that came later starts at its beginning: all of it is new. */
  resetOffset({ topic, partition }: TopicPartition, { low, high }: LogEnds): number {
    return this.#reset === "latest" && partition < (this.#old.get(topic) ?? 0) ? high : low;
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    await this.#admin.close();
  }

  async #asking<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      return await question(await this.#admin.connected());
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #read(admin: Admin, added: readonly TopicPartition[]): Promise<readonly Start[]> {
    const topics = [...new Set(added.map(({ topic }) => topic))];
    const committed = new Map<string, { offset: number; metadata: string | null }>();
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId: this.#groupId, topics })) {
      for (const { partition, offset, metadata } of partitions) {
        committed.set(partitionId({ topic, partition }), { offset: toOffset(offset), metadata });
      }
    }
    const known = (at: TopicPartition) => committed.get(partitionId(at));
    const ends = await readEnds(admin, added.filter((at) => (known(at)?.offset ?? -1) < 0));
    return added.map((at) => {
      const fresh = ends.get(partitionId(at));
      if (fresh !== undefined) {
        return { ...at, offset: this.resetOffset(at, fresh), metadata: null, reset: true };
      }
      const commit = known(at);
      if (commit === undefined) throw new Error(`Cannot find what was committed for ${partitionId(at)}`);
      return { ...at, ...commit, reset: false };
    });
  }
}

async function readEnds(
  admin: Admin,
  wanted: readonly TopicPartition[],
): Promise<ReadonlyMap<string, LogEnds>> {
  const ends = new Map<string, LogEnds>();
  for (const topic of new Set(wanted.map(({ topic }) => topic))) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      ends.set(partitionId({ topic, partition }), { low: toOffset(low), high: toOffset(high) });
    }
  }
  const missing = wanted.find((at) => !ends.has(partitionId(at)));
  if (missing !== undefined) throw new Error(`Cannot find the offsets of ${partitionId(missing)}`);
  return new Map(
    wanted.map((at) => [partitionId(at), ends.get(partitionId(at)) ?? { low: 0, high: 0 }]),
  );
}
