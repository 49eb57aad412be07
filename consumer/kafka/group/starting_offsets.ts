// StartingOffsets: where reading of a partition starts, by the group's commit or by the reset policy.

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

/** A partition whose starting point is not known yet. */
export interface OpenStart {
  readonly at: TopicPartition;
  readonly why: Error;
}

/** What is known of some partitions. */
export interface FoundStarts {
  readonly starts: readonly Start[];
  readonly open: readonly OpenStart[];
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

  /** The starting points of these partitions, as far as Kafka can tell them now. A topic's error costs that topic. */
  async of(added: readonly TopicPartition[]): Promise<FoundStarts> {
    const starts: Start[] = [];
    const open: OpenStart[] = [];
    let away: Error | undefined;
    for (const [topic, partitions] of Map.groupBy(added, (at) => at.topic)) {
      try {
        if (away !== undefined) throw away;
        const found = await this.#asking((admin) => this.#read(admin, topic, partitions));
        starts.push(...found.starts);
        open.push(...found.open);
      } catch (error) {
        // Without a word of Kafka's it is the connection, and the other topics would wait for it in turn.
        if ((error as { readonly type?: string }).type === undefined) away = error as Error;
        open.push(...partitions.map((at) => ({ at, why: error as Error })));
      }
    }
    return { starts, open };
  }

  /**
   * Where a partition's log begins and ends now.
   *
   * @throws see {@link of}.
   */
  async ends(at: TopicPartition): Promise<LogEnds> {
    return await this.#asking(async (admin) => {
      const ends = (await readEnds(admin, at.topic)).get(at.partition);
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

  async #read(admin: Admin, topic: string, partitions: readonly TopicPartition[]): Promise<FoundStarts> {
    const committed = new Map<number, { offset: number; metadata: string | null }>();
    for (const answer of await admin.fetchOffsets({ groupId: this.#groupId, topics: [topic] })) {
      for (const { partition, offset, metadata } of answer.partitions) {
        committed.set(partition, { offset: toOffset(offset), metadata });
      }
    }
    const isCommitted = ({ partition }: TopicPartition) => (committed.get(partition)?.offset ?? -1) >= 0;
    const ends = partitions.every(isCommitted) ? new Map<number, LogEnds>() : await readEnds(admin, topic);
    const starts: Start[] = [];
    const open: OpenStart[] = [];
    for (const at of partitions) {
      const commit = committed.get(at.partition);
      const log = ends.get(at.partition);
      if (commit !== undefined && commit.offset >= 0) starts.push({ ...at, ...commit, reset: false });
      else if (log === undefined) open.push({ at, why: new Error("No broker leads the partition") });
      else starts.push({ ...at, offset: this.resetOffset(at, log), metadata: null, reset: true });
    }
    return { starts, open };
  }
}

/** By partition; those that no broker leads are not among them. */
async function readEnds(admin: Admin, topic: string): Promise<ReadonlyMap<number, LogEnds>> {
  const found = await admin.fetchTopicOffsets(topic);
  return new Map(
    found.map(({ partition, low, high }) => [partition, { low: toOffset(low), high: toOffset(high) }]),
  );
}
