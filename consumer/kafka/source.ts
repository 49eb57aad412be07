// Where records come from: a kafkajs consumer turned into the machine's events, and its commits back.

import type { Cluster, Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from "kafkajs";
import { logger } from "../../shared/log.ts";
import type { PartitionCommit } from "../core/commits.ts";
import type { Event } from "../core/events.ts";
import type { TopicPartition } from "../core/partition.ts";
import { createGroupConsumer } from "./group_consumer.ts";
import { Holdings } from "./holdings.ts";
import { forgetTopics } from "./live_group.ts";
import { pause, tryUntil, within } from "./patience.ts";
import { type KafkaRecord, toOffset, toReceived } from "./record.ts";
import { Resets } from "./resets.ts";
import { StartingPoints } from "./starting_points.ts";
import type { ReadTopic } from "./topics.ts";

const log = logger("kafka");

/** Waits before the group's offsets are asked for again, and before we join again, in ms. */
const RETRY_MS = 500;
const REJOIN_MAX_MS = 10_000;
/** How long each part of leaving the group may take, in ms. */
const LEAVE_LIMIT_MS = 2500;
/** Wait before an offset that is out of range is asked for again, in ms. */
const OUT_OF_RANGE_AGAIN_MS = 250;

/** What is read, and as whom. */
export interface SourceConfig {
  /** Those there are at the start; {@link KafkaSource.subscribe} tells of others. */
  readonly topics: readonly ReadTopic[];
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly reset: "earliest" | "latest";
  /** Records of a key keep their order: the machine needs to know the keys. */
  readonly ordered: boolean;
}

/** What the source tells: the machine's events, and whether the group is there. None of them may throw. */
export interface SourceListener {
  readonly onEvent: (event: Event<KafkaRecord>) => void;
  readonly onJoined: () => void;
  readonly onLost: (error: Error) => void;
  /** What the group had read up to is not there, and reading goes on elsewhere. */
  readonly onReset: (at: TopicPartition) => void;
}

type Offsets = Parameters<EachBatchPayload["commitOffsetsIfNecessary"]>[0];

/** A member of the consumer group. `start()` once, `stop()` at the end. */
export class KafkaSource {
  readonly #config: SourceConfig;
  readonly #makeConsumer: () => Consumer;
  readonly #startingPoints: StartingPoints;
  readonly #listener: SourceListener;
  readonly #resets: Resets;
  readonly #holdings = new Holdings();
  readonly #stopping = new AbortController();
  /** Replaced after every crash: kafkajs never forgets a topic that it once subscribed to. */
  #consumer: Consumer;
  #cluster: Cluster | undefined;
  #topics: readonly string[];
  /** Replaced at every join; work that began in an older one is dropped. */
  #membership: Promise<void> = Promise.resolve();
  #joining: Promise<void> = Promise.resolve();
  #crashed = Promise.withResolvers<Error>();
  #commitOffsets: ((offsets: NonNullable<Offsets>) => Promise<void>) | undefined;

  /** @param impatient a client with few retries, for questions that are asked again. */
  constructor(kafka: Kafka, impatient: Kafka, config: SourceConfig, listener: SourceListener) {
    this.#config = config;
    this.#listener = listener;
    this.#startingPoints = new StartingPoints(impatient, config);
    this.#resets = new Resets(listener.onReset);
    this.#topics = config.topics.map(({ topic }) => topic);
    this.#makeConsumer = () =>
      createGroupConsumer(kafka, config, {
        claim: () => {
          this.#holdings.joining();
          return { generation: this.#holdings.generation, owned: this.#holdings.all };
        },
        topics: () => this.#topics,
        rejoining: () => this.#rejoining(),
        outOfRange: (at) => this.#outOfRange(at),
        connected: (cluster) => this.#cluster = cluster,
      });
    this.#consumer = this.#makeConsumer();
  }

  /** Joins the group and goes on until `stop()`: whatever ends a membership, it joins again. */
  start(): void {
    void this.#stayJoined();
  }

  /**
   * Reads these topics from now on. Partitions of those that stay keep everything; the group rebalances once.
   *
   * @throws whatever the broker said, where a new topic cannot be found; then none is added.
   */
  async subscribe(topics: readonly string[]): Promise<void> {
    const cluster = this.#cluster;
    const gone = this.#topics.filter((topic) => !topics.includes(topic));
    this.#topics = this.#topics.filter((topic) => topics.includes(topic));
    if (cluster !== undefined) {
      forgetTopics(cluster, gone);
      await cluster.addMultipleTargetTopics([...topics]);
    }
    this.#topics = topics;
  }

  /** Leaves the group, as far as that can be done in a few seconds. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // Only a member can leave: a join that is under way is let through first.
    await within(LEAVE_LIMIT_MS, this.#joining);
    const left = await within(LEAVE_LIMIT_MS, this.#consumer.disconnect());
    if (!left) log.warn("could not leave the group in time: it will notice by KAFKA_SESSION_TIMEOUT_MS");
    await within(LEAVE_LIMIT_MS, this.#startingPoints.close());
  }

  /** No more of a partition, without leaving the group: heartbeats go on. */
  pause({ topic, partition }: TopicPartition): void {
    this.#whileConsuming(() => this.#consumer.pause([{ topic, partitions: [partition] }]));
  }

  /** See {@link pause}. */
  resume({ topic, partition }: TopicPartition): void {
    this.#whileConsuming(() => this.#consumer.resume([{ topic, partitions: [partition] }]));
  }

  /**
   * Commits in the generation we are in now, once. kafkajs would retry in whatever generation comes next, where the
   * partition may be somebody else's; the machine decides itself whether and what to commit again.
   *
   * @throws whatever the broker refused it with.
   */
  async commit(marks: readonly PartitionCommit<KafkaRecord>[]): Promise<void> {
    const ours = marks.filter(({ partition }) => this.#holdings.find(partition)?.epoch === partition.epoch);
    const topics = Map.groupBy(ours, ({ partition }) => partition.topic);
    if (topics.size === 0) return;
    const offsets = {
      topics: Array.from(topics, ([topic, marks]) => ({
        topic,
        // The typed interface leaves `metadata` out; the protocol and kafkajs's encoder both take it.
        partitions: marks.map(({ partition: { partition }, mark }) => ({
          partition,
          offset: String(mark.offset),
          metadata: mark.metadata,
        })),
      })),
    };
    if (this.#commitOffsets !== undefined) await this.#commitOffsets(offsets);
    // Nothing but control records has come yet: there is no batch whose way to commit could be used.
    else {
      await this.#consumer.commitOffsets(
        offsets.topics.flatMap(({ topic, partitions }) => partitions.map((each) => ({ topic, ...each }))),
      );
    }
    for (const { partition, mark } of ours) this.#resets.committed(partition, mark.offset);
  }

  /** kafkajs restarts only after some errors, and then without telling when; so it never does and we always do. */
  async #stayJoined(): Promise<void> {
    for (let waitMs = RETRY_MS; !this.#stopping.signal.aborted;) {
      this.#crashed = Promise.withResolvers();
      const membership = this.#membership;
      this.#joining = this.#join();
      const error = await this.#joining.then(() => this.#crashed.promise, (error: Error) => error);
      if (this.#stopping.signal.aborted) return;
      waitMs = this.#membership === membership ? Math.min(REJOIN_MAX_MS, waitMs * 2) : RETRY_MS;
      this.#lost(error);
      await within(LEAVE_LIMIT_MS, this.#consumer.disconnect());
      await pause(waitMs, this.#stopping.signal);
      this.#consumer = this.#makeConsumer();
    }
  }

  async #join(): Promise<void> {
    const consumer = this.#consumer;
    this.#listen(consumer);
    await consumer.connect();
    await consumer.subscribe({
      topics: [...this.#topics],
      fromBeginning: this.#config.reset === "earliest",
    });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#eachBatch(payload),
    });
  }

  #listen(consumer: Consumer): void {
    const { GROUP_JOIN, HEARTBEAT, CRASH, END_BATCH_PROCESS } = consumer.events;
    consumer.on(GROUP_JOIN, (event) => this.#joined(event));
    consumer.on(HEARTBEAT, ({ payload }) => this.#holdings.heartbeat(payload.groupGenerationId));
    consumer.on(CRASH, ({ payload }) => this.#crashed.resolve(payload.error));
    consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#passed(payload);
    });
  }

  #joined({ payload: { memberId, memberAssignment } }: ConsumerGroupJoinEvent): void {
    const assigned = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition }))
    );
    const { kept, lost, gained } = this.#holdings.joined(memberId, assigned);
    log.info("joined the group", {
      member: memberId,
      kept: kept.length,
      gained: gained.length,
      lost: lost.length,
    });
    if (lost.length > 0) this.#listener.onEvent({ type: "revoked", partitions: lost });
    // kafkajs forgets at every join how far it has read.
    for (const { position, ...at } of kept) this.#seek(at, position);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#membership = promise;
    void this.#take(gained, promise).then(resolve);
  }

  /** What the last join brought and is not taken yet, the next one brings again: the machine must not hear of it now. */
  #rejoining(): void {
    this.#membership = Promise.resolve();
    this.#listener.onEvent({ type: "rebalancing" });
  }

  /** Reads where the gained partitions start, for as long as it takes, and hands them to the machine. */
  async #take(gained: readonly TopicPartition[], membership: Promise<void>): Promise<void> {
    const partitions = await tryUntil(() => this.#startingPoints.of(gained), {
      everyMs: RETRY_MS,
      signal: this.#stopping.signal,
      failed: (error) => {
        log.warn("the group's offsets cannot be read, trying again", { error: error.message });
      },
    });
    if (partitions === undefined || this.#membership !== membership) return;
    this.#resets.started(partitions);
    const epoch = this.#holdings.take(partitions);
    // The end of the log is elsewhere the next time: a start there has to be kept.
    void this.#commitStarts(partitions.filter(({ reset, offset }) => reset && offset > 0));
    for (const at of partitions) {
      this.#seek(at, at.offset);
      // One that was paused under its last epoch's bounds starts afresh.
      this.resume(at);
    }
    this.#listener.onEvent({ type: "assigned", epoch, partitions });
    this.#listener.onJoined();
  }

  /** Says where the group is now, past the machine: it knows no partition yet whose place this could be. */
  async #commitStarts(starts: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    if (starts.length === 0) return;
    const offsets = starts.map(({ offset, topic, partition }) => ({
      topic,
      partition,
      offset: String(offset),
      metadata: "",
    }));
    await this.#consumer.commitOffsets(offsets).catch((error: Error) => {
      log.warn("the place where reading goes on is not committed yet", { error: error.message });
    });
  }

  #lost(error: Error): void {
    this.#membership = Promise.resolve();
    this.#commitOffsets = undefined;
    const lost = this.#holdings.clear();
    if (lost.length > 0) this.#listener.onEvent({ type: "revoked", partitions: lost });
    this.#listener.onLost(error);
  }

  #seek({ topic, partition }: TopicPartition, offset: number): void {
    this.#whileConsuming(() => this.#consumer.seek({ topic, partition, offset: String(offset) }));
  }

  /** Between a crash and the next join kafkajs has nothing to pause, resume or seek in, and says so by throwing. */
  #whileConsuming(act: () => void): void {
    try {
      act();
    } catch (error) {
      log.debug("not consuming now", { error: String(error) });
    }
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    this.#commitOffsets = payload.commitOffsetsIfNecessary;
    await this.#membership;
    const from = { topic: batch.topic, partition: batch.partition };
    const held = this.#holdings.find(from);
    // A pending seek makes what was fetched before it stale.
    if (held === undefined || payload.isStale() || !payload.isRunning()) return;
    // A ledger takes growing offsets only.
    if (toOffset(batch.firstOffset() ?? batch.lastOffset()) < held.position) {
      return this.#seek(from, held.position);
    }
    this.#received(from, batch.messages, toOffset(batch.lastOffset()) + 1, toOffset(batch.highWatermark));
    payload.resolveOffset(batch.lastOffset());
  }

  #received(
    from: TopicPartition,
    messages: EachBatchPayload["batch"]["messages"],
    position: number,
    highWatermark: number,
  ): void {
    const held = this.#holdings.find(from);
    if (held === undefined) return;
    this.#holdings.advance(from, position);
    const records = messages.map((message) =>
      toReceived(from.topic, from.partition, message, this.#config.ordered)
    );
    this.#listener.onEvent({ type: "received", epoch: held.epoch, from, records, position, highWatermark });
  }

  /** Nothing but control records or aborted ones: the position moves on all the same. */
  #passed(payload: { topic: string; partition: number; lastOffset: string; highWatermark: string }): void {
    const at = { topic: payload.topic, partition: payload.partition };
    const position = toOffset(payload.lastOffset) + 1;
    if (position <= (this.#holdings.find(at)?.position ?? Infinity)) return;
    this.#received(at, [], position, toOffset(payload.highWatermark));
  }

  /** The broker does not have the offset that comes next: reading goes on where the policy says. */
  async #outOfRange(at: TopicPartition): Promise<void> {
    const { signal } = this.#stopping;
    const held = this.#holdings.find(at);
    // What is not taken yet is sought soon.
    if (held === undefined) return await pause(OUT_OF_RANGE_AGAIN_MS, signal);
    const ends = await this.#startingPoints.ends(at);
    if (this.#holdings.find(at)?.epoch !== held.epoch) return;
    const to = this.#startingPoints.resetPoint(at, ends);
    this.#resets.outOfRange(at, held.position, to, ends);
    if (to < held.position) await this.#restarted(at, to);
    else this.#received(at, [], to, ends.high);
    this.#seek(at, to);
  }

  /** The log goes on below where we were (made anew, or its end lost): what we knew of it is void. */
  async #restarted(at: TopicPartition, offset: number): Promise<void> {
    this.#listener.onEvent({ type: "revoked", partitions: [at] });
    const epoch = this.#holdings.take([{ ...at, offset }]);
    await this.#commitStarts([{ ...at, offset }]);
    if (this.#holdings.find(at)?.epoch !== epoch) return;
    this.#listener.onEvent({ type: "assigned", epoch, partitions: [{ ...at, offset, metadata: null }] });
  }
}
