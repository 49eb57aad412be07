// Where records come from: a membership in the consumer group turned into the machine's events, and its commits back.

import type { ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import type { PartitionCommit } from "../../core/commits.ts";
import type { Event } from "../../core/events.ts";
import type { TopicPartition } from "../../records/position.ts";
import { OwnedPartitions } from "./owned_partitions.ts";
import { Membership, type Passed } from "./membership.ts";
import { pause, tryUntil, within } from "../../../shared/wait.ts";
import type { KafkaRecord } from "../../records/record.ts";
import { toOffset, toReceived } from "../message.ts";
import { OffsetResets } from "./offset_resets.ts";
import { StartingOffsets } from "./starting_offsets.ts";
import type { ReadTopic } from "../topics/topic_watch.ts";

const log = logger("kafka");

/** Wait before the group's offsets are asked for again, in ms. */
const RETRY_MS = 500;
/** Wait before an offset that is out of range is asked for again, in ms. */
const OUT_OF_RANGE_AGAIN_MS = 250;
/** How long ending the connection for questions may take, in ms. */
const CLOSE_LIMIT_MS = 2500;

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

/** A member of the consumer group. `start()` once, `stop()` at the end. */
export class KafkaSource {
  readonly #config: SourceConfig;
  readonly #membership: Membership;
  readonly #startingOffsets: StartingOffsets;
  readonly #listener: SourceListener;
  readonly #resets: OffsetResets;
  readonly #owned = new OwnedPartitions();
  readonly #stopping = new AbortController();
  /** Replaced at every join; work that began in an older one is dropped. */
  #taken: Promise<void> = Promise.resolve();

  /** @param impatient a client with few retries, for questions that are asked again. */
  constructor(kafka: Kafka, impatient: Kafka, config: SourceConfig, listener: SourceListener) {
    this.#config = config;
    this.#listener = listener;
    this.#startingOffsets = new StartingOffsets(impatient, config);
    this.#resets = new OffsetResets(listener.onReset);
    const topics = config.topics.map(({ topic }) => topic);
    this.#membership = new Membership(kafka, { ...config, topics }, {
      claim: () => {
        this.#owned.joining();
        return { generation: this.#owned.generation, owned: this.#owned.all };
      },
      joined: (joined) => this.#joined(joined),
      heartbeat: (generation) => this.#owned.heartbeat(generation),
      rejoining: () => this.#rejoining(),
      ended: (error) => this.#lost(error),
      outOfRange: (at) => this.#outOfRange(at),
      batch: (payload) => this.#eachBatch(payload),
      passed: (passed) => this.#passed(passed),
    });
  }

  /** Joins the group and goes on until `stop()`: whatever ends a membership, it joins again. */
  start(): void {
    this.#membership.start();
  }

  /** Reads these topics from now on; partitions of those that stay keep everything. See {@link Membership.subscribe}. */
  async subscribe(topics: readonly string[]): Promise<void> {
    await this.#membership.subscribe(topics);
  }

  /** Leaves the group, as far as that can be done in a few seconds. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#membership.leave();
    await within(CLOSE_LIMIT_MS, this.#startingOffsets.close());
  }

  /** No more of a partition, without leaving the group: heartbeats go on. */
  pause(at: TopicPartition): void {
    this.#membership.pause(at);
  }

  /** See {@link pause}. */
  resume(at: TopicPartition): void {
    this.#membership.resume(at);
  }

  /**
   * Commits, once: the machine decides itself whether and what to commit again.
   *
   * @throws whatever the broker refused it with.
   */
  async commit(marks: readonly PartitionCommit<KafkaRecord>[]): Promise<void> {
    const ours = marks.filter(({ partition }) => this.#owned.find(partition)?.epoch === partition.epoch);
    if (ours.length === 0) return;
    await this.#membership.commit(
      ours.map(({ partition: { topic, partition }, mark }) => ({ topic, partition, ...mark })),
    );
    for (const { partition, mark } of ours) this.#resets.committed(partition, mark.offset);
  }

  #joined({ memberId, memberAssignment }: ConsumerGroupJoinEvent["payload"]): void {
    const assigned = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition }))
    );
    const { kept, lost, gained } = this.#owned.joined(memberId, assigned);
    log.info("joined the group", {
      member: memberId,
      kept: kept.length,
      gained: gained.length,
      lost: lost.length,
    });
    if (lost.length > 0) this.#listener.onEvent({ type: "revoked", partitions: lost });
    // kafkajs forgets at every join how far it has read.
    for (const { position, ...at } of kept) this.#membership.seek(at, position);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#taken = promise;
    void this.#take(gained, promise).then(resolve);
  }

  /** What the last join brought and is not taken yet, the next one brings again: the machine must not hear of it now. */
  #rejoining(): void {
    this.#taken = Promise.resolve();
    this.#listener.onEvent({ type: "rebalancing" });
  }

  /** Reads where the gained partitions start, for as long as it takes, and hands them to the machine. */
  async #take(gained: readonly TopicPartition[], taken: Promise<void>): Promise<void> {
    const partitions = await tryUntil(() => this.#startingOffsets.of(gained), {
      everyMs: RETRY_MS,
      signal: this.#stopping.signal,
      failed: (error) => {
        log.warn("the group's offsets cannot be read, trying again", { error: error.message });
      },
    });
    if (partitions === undefined || this.#taken !== taken) return;
    this.#resets.started(partitions);
    const epoch = this.#owned.take(partitions);
    // The end of the log is elsewhere the next time: a start there has to be kept.
    void this.#commitStarts(partitions.filter(({ reset, offset }) => reset && offset > 0));
    for (const at of partitions) {
      this.#membership.seek(at, at.offset);
      // One that was paused under its last epoch's bounds starts afresh.
      this.resume(at);
    }
    this.#listener.onEvent({ type: "assigned", epoch, partitions });
    this.#listener.onJoined();
  }

  /** Says where the group is now, past the machine: it knows no partition yet whose place this could be. */
  async #commitStarts(starts: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    if (starts.length === 0) return;
    const places = starts.map(({ topic, partition, offset }) => ({ topic, partition, offset, metadata: "" }));
    await this.#membership.commit(places).catch((error: Error) => {
      log.warn("the place where reading goes on is not committed yet", { error: error.message });
    });
  }

  #lost(error: Error): void {
    this.#taken = Promise.resolve();
    const lost = this.#owned.clear();
    if (lost.length > 0) this.#listener.onEvent({ type: "revoked", partitions: lost });
    this.#listener.onLost(error);
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    // Who waits here does not beat. What cannot be taken, as of a topic that was just deleted, must not cost the rest.
    await within(this.#config.sessionTimeoutMs / 3, this.#taken);
    const from = { topic: batch.topic, partition: batch.partition };
    const held = this.#owned.find(from);
    // A pending seek makes what was fetched before it stale.
    if (held === undefined || payload.isStale() || !payload.isRunning()) return;
    // A ledger takes growing offsets only.
    if (toOffset(batch.firstOffset() ?? batch.lastOffset()) < held.position) {
      return this.#membership.seek(from, held.position);
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
    const held = this.#owned.find(from);
    if (held === undefined) return;
    this.#owned.advance(from, position);
    const records = messages.map((message) =>
      toReceived(from.topic, from.partition, message, this.#config.ordered)
    );
    this.#listener.onEvent({ type: "received", epoch: held.epoch, from, records, position, highWatermark });
  }

  /** Nothing but control records or aborted ones: the position moves on all the same. */
  #passed(payload: Passed): void {
    const at = { topic: payload.topic, partition: payload.partition };
    const position = toOffset(payload.lastOffset) + 1;
    if (position <= (this.#owned.find(at)?.position ?? Infinity)) return;
    this.#received(at, [], position, toOffset(payload.highWatermark));
  }

  /** The broker does not have the offset that comes next: reading goes on where the policy says. */
  async #outOfRange(at: TopicPartition): Promise<void> {
    const { signal } = this.#stopping;
    const held = this.#owned.find(at);
    // What is not taken yet is sought soon.
    if (held === undefined) return await pause(OUT_OF_RANGE_AGAIN_MS, signal);
    const ends = await this.#startingOffsets.ends(at);
    if (this.#owned.find(at)?.epoch !== held.epoch) return;
    const to = this.#startingOffsets.resetOffset(at, ends);
    this.#resets.outOfRange(at, held.position, to, ends);
    if (to < held.position) await this.#restarted(at, to);
    else this.#received(at, [], to, ends.high);
    this.#membership.seek(at, to);
  }

  /** The log goes on below where we were (made anew, or its end lost): what we knew of it is void. */
  async #restarted(at: TopicPartition, offset: number): Promise<void> {
    this.#listener.onEvent({ type: "revoked", partitions: [at] });
    const epoch = this.#owned.take([{ ...at, offset }]);
    await this.#commitStarts([{ ...at, offset }]);
    if (this.#owned.find(at)?.epoch !== epoch) return;
    // It may have been paused while its last fetch was on its way.
    this.resume(at);
    this.#listener.onEvent({ type: "assigned", epoch, partitions: [{ ...at, offset, metadata: null }] });
  }
}
