// GroupOffsets asks the brokers for the ends of logs and for what groups have committed.

import type { Kafka } from "kafkajs";
import { LazyAdmin } from "../client/lazy_admin.ts";
import { toOffset } from "../message.ts";
import { Forbidden, isForbidden } from "../client/refusals.ts";
import type { GroupCommit, OffsetRange } from "../../records/log_access.ts";
import { countPartitions } from "../topics/side_topics.ts";
import { readTopicSettings, weaknessesOf } from "../topics/topic_settings.ts";

/** Retries of one question. */
const RETRIES = 3;

/** What a broker says that is not, or not yet, the group's coordinator. */
const MOVING = new Set([
  "NOT_COORDINATOR_FOR_GROUP",
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "GROUP_LOAD_IN_PROGRESS",
]);
/** How often, and with which pause in ms, such a broker is asked. */
const COORDINATOR_TRIES = 20;
const COORDINATOR_AGAIN_MS = 250;

/** Looks at logs and at what groups committed. It connects when it is first asked. */
export class GroupOffsets {
  readonly #admin: LazyAdmin;

  constructor(kafka: Kafka) {
    this.#admin = new LazyAdmin(kafka, RETRIES);
  }

  /**
   * From the first record that is still there to the end of what is committed; empty where there is no topic.
   *
   * @throws {Error} where a partition has no leader: what is in it is not known.
   */
  async ranges(topic: string): Promise<readonly OffsetRange[]> {
    const partitions = await this.partitions(topic);
    const ranges = await this.knownRanges(topic);
    if (ranges.length === partitions) return ranges;
    throw new Error(
      `${partitions - ranges.length} of the ${partitions} partitions of ${topic} have no leader`,
    );
  }

  /** Of the partitions that have a leader. */
  async knownRanges(topic: string): Promise<readonly OffsetRange[]> {
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
    const found = await this.#committed(groupId, topic);
    return (found?.partitions ?? []).map(({ partition, offset, metadata }) => ({
      partition,
      offset: toOffset(offset) < 0 ? undefined : toOffset(offset),
      metadata,
    }));
  }

  /** A group's coordinator moves when its broker goes, and is not there for a moment. */
  async #committed(groupId: string, topic: string) {
    const admin = await this.#admin.connected();
    for (let tries = 1;; tries++) {
      try {
        return (await admin.fetchOffsets({ groupId, topics: [topic] }))[0];
      } catch (error) {
        if (isForbidden(error)) throw new Forbidden([`see the group ${groupId}`]);
        const { type = "" } = error as { readonly type?: string };
        if (!MOVING.has(type) || tries === COORDINATOR_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, COORDINATOR_AGAIN_MS));
      }
    }
  }

  /** How side topics that there are fall short of their source, in words. */
  async weaknesses(source: string, sides: readonly string[]): Promise<readonly string[]> {
    const admin = await this.#admin.connected();
    const wanted = await readTopicSettings(admin, source);
    const weak: string[] = [];
    for (const side of sides) {
      const settings = await readTopicSettings(admin, side);
      if (wanted !== undefined && settings !== undefined) {
        weak.push(...weaknessesOf(side, settings, source, wanted));
      }
    }
    return weak;
  }

  /** The names of all topics. */
  async topics(): Promise<readonly string[]> {
    return await (await this.#admin.connected()).listTopics();
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }
}
