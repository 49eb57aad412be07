// KafkaSource turns a membership in the consumer group into the machine's events, and the machine's commits into Kafka's.

import type { ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from "kafkajs";
import { monotonicMs } from "../../../shared/clock.ts";
import type { Cause } from "../../../shared/http/health.ts";
import { logger } from "../../../shared/log.ts";
import type { PartitionCommit } from "../../core/commits.ts";
import type { Event } from "../../core/events.ts";
import { partitionId, type TopicPartition } from "../../records/position.ts";
import { OwnedPartitions } from "./owned_partitions.ts";
import { CommitMarks } from "./commit_marks.ts";
import { KeptStarts } from "./kept_starts.ts";
import { Membership, type Passed } from "./membership.ts";
import { pause, within } from "../../../shared/wait.ts";
import type { KafkaRecord } from "../../records/record.ts";
import type { UnreadRange } from "../../records/unread_range.ts";
import type { UnreadAt } from "../kafkajs_patches/answer_records.ts";
import { toOffset, toReceived } from "../message.ts";
import { OffsetResets } from "./offset_resets.ts";
import { type Start, StartingOffsets } from "./starting_offsets.ts";
import { UnreadablePartitions } from "./unreadable_partitions.ts";
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
  /** At most one process has it at a time; undefined: nobody's predecessor is looked for. */
  readonly instanceId: string | undefined;
  readonly reset: "earliest" | "latest";
  /** Records of a key keep their order: the machine needs to know the keys. */
  readonly ordered: boolean;
}

/** What the source tells: the machine's events, and whether the group is there. None of them may throw but `onUnread`, which is asked again then. */
export interface SourceListener {
  readonly onEvent: (event: Event<KafkaRecord>) => void;
  readonly onJoined: () => void;
  readonly onLost: (error: Error) => void;
  /** A batch cannot be unpacked. Resolves when that is written down where it will be found; then reading goes on behind it. */
  readonly onUnread: (batch: UnreadRange) => Promise<void>;
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
  readonly #marks: CommitMarks;
  readonly #keptStarts: KeptStarts;
  readonly #unreadable: UnreadablePartitions;
  readonly #owned = new OwnedPartitions();
  readonly #stopping = new AbortController();
  /** The last join; aborted when the next one begins. */
  #join = new AbortController();
  /** Resolves when it was asked once where the partitions of the last join start. */
  #taken: Promise<void> = Promise.resolve();

  /** @param impatient a client with few retries, for questions that are asked again. */
  constructor(kafka: Kafka, impatient: Kafka, config: SourceConfig, listener: SourceListener) {
    this.#config = config;
    this.#listener = listener;
    this.#startingOffsets = new StartingOffsets(impatient, config);
    this.#resets = new OffsetResets(listener.onReset);
    const topics = config.topics.map(({ topic }) => topic);
    this.#unreadable = new UnreadablePartitions(monotonicMs);
    this.#marks = new CommitMarks((places) => this.#membership.commit(places));
    this.#keptStarts = new KeptStarts(this.#marks, this.#stopping.signal);
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
      unreadable: (at, error) => this.#unreadable.failed(at, error),
      // A partition whose start is not known yet stays unreadable, whatever a fetch says.
      readable: (at) => {
        if (this.#owned.find(at) !== undefined) this.#unreadable.read(at);
      },
      unread: (batch) => this.#unread(batch),
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

  /**
   * A topic was deleted and made anew: its offsets mean other records now, so it is read from where the policy says.
   *
   * @throws what Kafka said where it does not tell yet where that is.
   */
  async restart(topic: string): Promise<void> {
    for (const held of this.#owned.all.filter((each) => each.topic === topic)) {
      const ends = await this.#startingOffsets.ends(held);
      if (this.#owned.find(held)?.epoch !== held.epoch) continue;
      const to = this.#startingOffsets.resetOffset(held, ends);
      this.#resets.recreated(held, held.position, to);
      this.#restarted(held, to);
      this.#membership.seek(held, to);
    }
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
   * @returns those that were refused while others were taken.
   * @throws whatever the broker refused all of them with.
   */
  async commit(
    marks: readonly PartitionCommit<KafkaRecord>[],
  ): Promise<readonly PartitionCommit<KafkaRecord>[]> {
    const ours = marks.filter(({ partition }) => this.#owned.find(partition)?.epoch === partition.epoch);
    if (ours.length === 0) return [];
    // A mark is further than the start it would overwrite.
    this.#keptStarts.forget(ours.map(({ partition }) => partition));
    const refused = await this.#marks.commit(
      ours.map(({ partition: { topic, partition }, mark }) => ({ topic, partition, ...mark })),
    );
    const isRefused = ({ partition }: PartitionCommit<KafkaRecord>) => refused.has(partitionId(partition));
    for (const { partition, mark } of ours.filter((line) => !isRefused(line))) {
      this.#resets.committed(partition, mark.offset);
    }
    return ours.filter(isRefused);
  }

  /** Why some of what is ours is not delivered. */
  causes(): readonly Cause[] {
    return this.#unreadable.causes(this.#owned.all.length);
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
    this.#giveUp(lost);
    // kafkajs forgets at every join how far it has read.
    for (const { position, ...at } of kept) this.#membership.seek(at, position);
    void this.#take(gained, this.#join = new AbortController());
  }

  /** What the last join brought and is not begun yet, the next join brings again. */
  #rejoining(): void {
    this.#endJoin();
    this.#listener.onEvent({ type: "rebalancing" });
  }

  #endJoin(): void {
    this.#join.abort();
    this.#taken = Promise.resolve();
  }

  /** Hands the gained partitions to the machine as soon as it is known where each starts, however long that takes. */
  async #take(gained: readonly TopicPartition[], { signal }: AbortController): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#taken = promise;
    let missing = gained;
    do {
      const { starts, open } = await this.#startingOffsets.of(missing);
      if (signal.aborted || this.#stopping.signal.aborted) break;
      this.#begin(starts);
      if (starts.length > 0 || open.length === 0) this.#listener.onJoined();
      missing = open.map(({ at }) => at);
      for (const { at, why } of open) {
        this.#unreadable.failed(at, why);
        // Nothing is read of it before it is known from where.
        this.pause(at);
      }
      resolve();
      if (missing.length > 0) await pause(RETRY_MS, this.#stopping.signal);
    } while (missing.length > 0 && !signal.aborted && !this.#stopping.signal.aborted);
    resolve();
  }

  #begin(starts: readonly Start[]): void {
    if (starts.length === 0) return;
    this.#resets.started(starts);
    const epoch = this.#owned.take(starts);
    this.#keptStarts.keep(starts.filter(({ reset }) => reset));
    for (const at of starts) {
      this.#unreadable.read(at);
      this.#membership.seek(at, at.offset);
      // It may still be paused from its last epoch.
      this.resume(at);
    }
    this.#listener.onEvent({ type: "assigned", epoch, partitions: starts });
  }

  #giveUp(lost: readonly TopicPartition[]): void {
    this.#keptStarts.forget(lost);
    this.#unreadable.forget(lost);
    if (lost.length > 0) this.#listener.onEvent({ type: "revoked", partitions: lost });
  }

  #lost(error: Error): void {
    this.#endJoin();
    this.#giveUp(this.#owned.clear());
    this.#unreadable.clear();
    this.#listener.onLost(error);
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    // Waiting here blocks heartbeats, so the wait is bounded.
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

  /** Nobody can read these records: they are told of, and reading goes on behind them. */
  async #unread(
    { topic, partition, from, to, records, timestampMs, why, highWatermark }: UnreadAt,
  ): Promise<void> {
    const at = { topic, partition };
    const held = this.#owned.find(at);
    if (held === undefined || held.position > to) return;
    try {
      await this.#listener.onUnread({
        ...at,
        from: Math.max(from, held.position),
        to,
        records,
        timestampMs,
        why,
      });
    } catch (error) {
      this.#unreadable.failed(at, error as Error);
      throw error;
    }
    if (this.#owned.find(at)?.epoch !== held.epoch) return;
    this.#received(at, [], to + 1, highWatermark);
    this.#membership.seek(at, to + 1);
  }

  /** The broker does not have the offset that comes next: reading goes on where the policy says. */
  async #outOfRange(at: TopicPartition): Promise<void> {
    const { signal } = this.#stopping;
    const held = this.#owned.find(at);
    // Its start is not known yet; a seek follows.
    if (held === undefined) return await pause(OUT_OF_RANGE_AGAIN_MS, signal);
    const ends = await this.#startingOffsets.ends(at);
    if (this.#owned.find(at)?.epoch !== held.epoch) return;
    const to = this.#startingOffsets.resetOffset(at, ends);
    this.#resets.outOfRange(at, held.position, to, ends);
    if (to < held.position) this.#restarted(at, to);
    else this.#received(at, [], to, ends.high);
    this.#membership.seek(at, to);
  }

  /** The log goes on below where we were (made anew, or its end lost): what we knew of it is void. */
  #restarted({ topic, partition }: TopicPartition, offset: number): void {
    const at = { topic, partition };
    this.#listener.onEvent({ type: "revoked", partitions: [at] });
    const epoch = this.#owned.take([{ ...at, offset }]);
    this.#keptStarts.keep([{ ...at, offset }]);
    // It may be paused from before.
    this.resume(at);
    this.#listener.onEvent({ type: "assigned", epoch, partitions: [{ ...at, offset, metadata: null }] });
  }
}
