// How far logs go and how far a group has come: offsets, asked of the brokers when they are needed.

import type { Kafka } from "kafkajs";
import { LazyAdmin } from "../client/lazy_admin.ts";
import { toOffset } from "../message.ts";
import { Forbidden, isForbidden } from "../client/refusals.ts";
import type { GroupCommit, OffsetRange } from "../../records/log_access.ts";
import { countPartitions } from "../topics/side_topics.ts";

/** Retries of one question. */
const RETRIES = 3;

/** Looks at logs and at what groups committed. It connects when it is first asked. */
export class GroupOffsets {
  readonly #admin: LazyAdmin;

  constructor(kafka: Kafka) {
    this.#admin = new LazyAdmin(kafka, RETRIES);
  }

  /** From the first record that is still there to the end of what is committed; empty where there is no topic. */
  async ranges(topic: string): Promise<readonly OffsetRange[]> {
    if (await this.partitions(topic) === 0) return [];
    // kafkajs asks as a reader of committed records does: a transaction that is open ends the range.
    const found = await (await this.#admin.connected()).fetchTopicOffsets(topic);
    return found.map(({ partition, low, high }) => ({
      topic,
      partition,
      from: toOffset(low),
      to: toOffset(high),
    }));
  }

  /** Partitions of a topic; 0 where there is none of that name. */
  async partitions(topic: string): Promise<number> {
    return await countPartitions(await this.#admin.connected(), topic) ?? 0;
  }

  /** What a group has committed. */
  async committed(groupId: string, topic: string): Promise<readonly GroupCommit[]> {
    const admin = await this.#admin.connected();
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] }).catch((error) => {
      throw isForbidden(error) ? new Forbidden([`see the group ${groupId}`]) : error;
    });
    return (found?.partitions ?? []).map(({ partition, offset, metadata }) => ({
      partition,
      offset: toOffset(offset) < 0 ? undefined : toOffset(offset),
      metadata,
    }));
  }

  /** The names of all topics. */
  async topics(): Promise<readonly string[]> {
    return await (await this.#admin.connected()).listTopics();
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }
}
