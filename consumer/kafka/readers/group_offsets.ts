// How far logs go and how far a group has come: offsets, asked of the brokers when they are needed.

import type { Admin, Kafka } from "kafkajs";
import { toOffset } from "../message.ts";
import { within } from "../../../shared/wait.ts";
import { Forbidden, isForbidden } from "../client/refusals.ts";
import type { GroupCommit, OffsetRange } from "../../records/log_access.ts";
import { countPartitions } from "../topics/side_topics.ts";

const CLOSE_LIMIT_MS = 2000;

/** An admin connection, made when it is first needed. */
export class GroupOffsets {
  readonly #admin: Admin;
  #connected: Promise<void> | undefined;

  constructor(kafka: Kafka) {
    this.#admin = kafka.admin({ retry: { retries: 3 } });
  }

  /** From the first record that is still there to the end of what is committed; empty where there is no topic. */
  async ranges(topic: string): Promise<readonly OffsetRange[]> {
    if (await this.partitions(topic) === 0) return [];
    // kafkajs asks as a reader of committed records does: a transaction that is open ends the range.
    const found = await (await this.#ready()).fetchTopicOffsets(topic);
    return found.map(({ partition, low, high }) => ({
      topic,
      partition,
      from: toOffset(low),
      to: toOffset(high),
    }));
  }

  /** Partitions of a topic; 0 where there is none of that name. */
  async partitions(topic: string): Promise<number> {
    return await countPartitions(await this.#ready(), topic) ?? 0;
  }

  /** What a group has committed. */
  async committed(groupId: string, topic: string): Promise<readonly GroupCommit[]> {
    const admin = await this.#ready();
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
    return await (await this.#ready()).listTopics();
  }

  async close(): Promise<void> {
    if (this.#connected !== undefined) await within(CLOSE_LIMIT_MS, this.#admin.disconnect());
  }

  async #ready(): Promise<Admin> {
    this.#connected ??= this.#admin.connect().catch((error) => {
      this.#connected = undefined;
      throw error;
    });
    await this.#connected;
    return this.#admin;
  }
}
