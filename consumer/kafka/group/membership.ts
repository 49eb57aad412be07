// Membership keeps a kafkajs consumer in its group: it joins, joins again after any error, changes topics, and leaves.

import type { Cluster, Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import type { CommitMark, TopicPartition } from "../../records/position.ts";
import { createGroupConsumer } from "./group_consumer.ts";
import type { CommitOffsets, GroupHooks } from "../kafkajs_patches/live_subscription.ts";
import { CommitRefused } from "../kafkajs_patches/offset_commit.ts";
import { TakenOut, takeOutPredecessor } from "./predecessor.ts";
import { pause, within } from "../../../shared/wait.ts";
import type { Claim } from "./sticky_assignment.ts";

const log = logger("kafka");

/** The first wait before we join again, and the longest, in ms. */
const REJOIN_MS = 500;
const REJOIN_MAX_MS = 3000;
/** Who was taken out of the group while alive leaves it to who did that for so long, in ms. */
const TAKEN_OUT_MS = 10_000;
/** How long each part of leaving the group may take, in ms. */
const LEAVE_LIMIT_MS = 2500;

/** Refusals that say something of the partition and nothing of the member. */
const OF_PARTITION = new Set([
  "OFFSET_METADATA_TOO_LARGE",
  "TOPIC_AUTHORIZATION_FAILED",
  "UNKNOWN_TOPIC_OR_PARTITION",
]);

/** Of which group, and how it begins. */
export interface MembershipConfig {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  /** At most one process has it at a time; undefined: nobody's predecessor is looked for. */
  readonly instanceId: string | undefined;
  readonly reset: "earliest" | "latest";
  readonly topics: readonly string[];
}

/** What a batch without records for us says: control records, or aborted ones. */
export interface Passed extends TopicPartition {
  readonly lastOffset: string;
  readonly highWatermark: string;
}

/** What a member hears. None of it may throw but `outOfRange` and `unread`, which are asked again then. */
export interface MembershipListener
  extends Pick<GroupHooks, "rejoining" | "outOfRange" | "unreadable" | "readable" | "unread"> {
  /** We ask to join: what we have, and since which generation. */
  readonly claim: () => Claim;
  readonly joined: (joined: ConsumerGroupJoinEvent["payload"]) => void;
  /** The coordinator took a heartbeat of ours in this generation. */
  readonly heartbeat: (generation: number) => void;
  /** The membership ended; the next join is on its way. */
  readonly ended: (error: Error) => void;
  readonly batch: (payload: EachBatchPayload) => Promise<void>;
  readonly passed: (passed: Passed) => void;
}

/** A place of a partition, for the group to keep. */
export type Place = TopicPartition & CommitMark;

/**
 * Keeps a kafkajs consumer in its group: joins, rejoins after an error, changes topics, leaves.
 * `start()` once, `leave()` at the end.
 */
export class Membership {
  readonly #config: MembershipConfig;
  readonly #listener: MembershipListener;
  readonly #makeConsumer: () => Consumer;
  readonly #leaving = new AbortController();
  /** Replaced after every crash: kafkajs keeps the topics that it once subscribed to. */
  #consumer: Consumer;
  #cluster: Cluster | undefined;
  #topics: readonly string[];
  #joining: Promise<void> = Promise.resolve();
  #wasJoined = false;
  /** Only who starts may have a predecessor: another member with its instance id came later and lives. */
  #isFirstJoin = true;
  #crashed = Promise.withResolvers<Error>();
  #commitOffsets: CommitOffsets | undefined;
  /** Since when the group takes no commit of ours, in ms of the monotonic clock. */
  #refusedSinceMs: number | undefined;

  constructor(kafka: Kafka, config: MembershipConfig, listener: MembershipListener) {
    this.#config = config;
    this.#listener = listener;
    this.#topics = config.topics;
    const { claim, outOfRange, unreadable, readable, unread } = listener;
    const questions = {
      claim,
      outOfRange,
      unreadable,
      readable,
      unread,
      rejoining: () => {
        this.#refusedSinceMs = undefined;
        listener.rejoining();
      },
      commits: (commit: CommitOffsets) => this.#commitOffsets = commit,
      halfJoined: (error: Error) => this.#crashed.resolve(error),
      connected: (cluster: Cluster) => this.#cluster = cluster,
      topics: () => this.#topics,
      takenOut: () => config.instanceId === undefined ? undefined : new TakenOut(),
    };
    this.#makeConsumer = () => createGroupConsumer(kafka, config, questions);
    this.#consumer = this.#makeConsumer();
  }

  /** Joins the group and goes on until `leave()`: whatever ends a membership, it joins again. */
  start(): void {
    void this.#stayJoined();
  }

  /**
   * Reads these topics from now on. The group rebalances once; we stay the same member.
   *
   * @throws whatever the broker said, where a new topic cannot be found; then none is added.
   */
  async subscribe(topics: readonly string[]): Promise<void> {
    this.#topics = this.#topics.filter((topic) => topics.includes(topic));
    await this.#cluster?.addMultipleTargetTopics([...topics]);
    this.#topics = topics;
  }

  /** Leaves the group, as far as that can be done in a few seconds. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    // Only a member can leave: a join that is under way is let through first.
    await within(LEAVE_LIMIT_MS, this.#joining);
    const left = await within(LEAVE_LIMIT_MS, this.#consumer.disconnect());
    if (!left) log.warn("could not leave the group in time: it will notice by KAFKA_SESSION_TIMEOUT_MS");
  }

  /** No more of a partition, without leaving the group: heartbeats go on. */
  pause({ topic, partition }: TopicPartition): void {
    this.#whileConsuming(() => this.#consumer.pause([{ topic, partitions: [partition] }]));
  }

  /** See {@link pause}. */
  resume({ topic, partition }: TopicPartition): void {
    this.#whileConsuming(() => this.#consumer.resume([{ topic, partitions: [partition] }]));
  }

  /** The next fetch of a partition begins here; what was fetched before is stale. */
  seek({ topic, partition }: TopicPartition, offset: number): void {
    this.#whileConsuming(() => this.#consumer.seek({ topic, partition, offset: String(offset) }));
  }

  /**
   * Commits in the generation we are in now, once. kafkajs would retry in whatever generation comes next, where the
   * partition may be somebody else's.
   *
   * @throws {CommitRefused} when some partitions were refused and the others taken.
   * @throws whatever else the broker refused it with.
   */
  async commit(places: readonly Place[]): Promise<void> {
    try {
      await this.#commit(places);
      this.#refusedSinceMs = undefined;
    } catch (error) {
      this.#refused(error as Error);
      throw error;
    }
  }

  async #commit(places: readonly Place[]): Promise<void> {
    const partitions = places.map(({ topic, partition, offset, metadata }) => ({
      topic,
      partition,
      offset: String(offset),
      metadata,
    }));
    if (this.#commitOffsets === undefined) throw new Error("Not joined yet");
    const topics = Map.groupBy(partitions, ({ topic }) => topic);
    // The typed interface leaves `metadata` out; the protocol and kafkajs's encoder both take it.
    await this.#commitOffsets({
      topics: Array.from(topics, ([topic, partitions]) => ({ topic, partitions })),
    });
  }

  /** Who is refused for longer than a session is no member, whatever it believes: it begins anew. */
  #refused(error: Error): void {
    if (error instanceof CommitRefused && error.refusals.every(({ type }) => OF_PARTITION.has(type))) return;
    const nowMs = performance.now();
    this.#refusedSinceMs ??= nowMs;
    if (!this.#wasJoined || nowMs - this.#refusedSinceMs < this.#config.sessionTimeoutMs) return;
    this.#crashed.resolve(new Error(`Commits have been refused for a whole session: ${error.message}`));
  }

  /** kafkajs restarts only after some errors, and then without telling when; so it never does and we always do. */
  async #stayJoined(): Promise<void> {
    for (let waitMs = REJOIN_MS; !this.#leaving.signal.aborted;) {
      this.#crashed = Promise.withResolvers();
      this.#wasJoined = false;
      this.#joining = this.#join();
      const error = await this.#joining.then(() => this.#crashed.promise, (error: Error) => error);
      if (this.#leaving.signal.aborted) return;
      const takenOut = error.cause instanceof TakenOut;
      if (takenOut) this.#reportTakenOut();
      waitMs = takenOut ? TAKEN_OUT_MS : this.#wasJoined ? REJOIN_MS : Math.min(REJOIN_MAX_MS, waitMs * 2);
      this.#commitOffsets = undefined;
      this.#refusedSinceMs = undefined;
      this.#listener.ended(error);
      await within(LEAVE_LIMIT_MS, this.#consumer.disconnect());
      await pause(waitMs, this.#leaving.signal);
      this.#consumer = this.#makeConsumer();
    }
  }

  #reportTakenOut(): void {
    const { instanceId } = this.#config;
    log.warn("taken out of the group while alive", {
      instance: instanceId,
      remedy: "Another process started with this KAFKA_INSTANCE_ID: give each its own. It joins again.",
    });
  }

  async #join(): Promise<void> {
    const consumer = this.#consumer;
    this.#listen(consumer);
    await consumer.connect();
    await this.#takeOutPredecessor();
    const fromBeginning = this.#config.reset === "earliest";
    await consumer.subscribe({ topics: [...this.#topics], fromBeginning });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#listener.batch(payload),
    });
  }

  async #takeOutPredecessor(): Promise<void> {
    const { groupId, instanceId } = this.#config;
    const isFirst = this.#isFirstJoin;
    this.#isFirstJoin = false;
    if (!isFirst || instanceId === undefined || this.#cluster === undefined) return;
    await takeOutPredecessor(this.#cluster, { groupId, instanceId }, this.#leaving.signal);
  }

  #listen(consumer: Consumer): void {
    const { GROUP_JOIN, HEARTBEAT, CRASH, END_BATCH_PROCESS } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#wasJoined = true;
      this.#listener.joined(payload);
    });
    consumer.on(HEARTBEAT, ({ payload }) => this.#listener.heartbeat(payload.groupGenerationId));
    consumer.on(CRASH, ({ payload }) => this.#crashed.resolve(payload.error));
    consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#listener.passed(payload);
    });
  }

  /** Between a crash and the next join kafkajs has nothing to pause, resume or seek in, and says so by throwing. */
  #whileConsuming(act: () => void): void {
    try {
      act();
    } catch (error) {
      log.debug("not consuming now", { error: String(error) });
    }
  }
}
