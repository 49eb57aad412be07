// Where records come from: a kafkajs consumer turned into the machine's events, and its commits back.

import type { Admin, Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from "kafkajs";
import { logger } from "../../shared/log.ts";
import type { PartitionCommit } from "../core/commits.ts";
import type { Assigned, Event } from "../core/events.ts";
import { partitionId, type TopicPartition } from "../core/partition.ts";
import { type KafkaRecord, toOffset, toReceived } from "./record.ts";

const log = logger("kafka");

/** A fetch waits so long for data, in ms; also how late a resumed partition may be when all were paused. */
const FETCH_WAIT_MS = 250;
/** One fetch brings at most so much, in bytes, so that memory is bounded by the fetch and not by the backlog. */
const FETCH_BYTES_MAX = 8 * 1024 * 1024;
const PARTITION_BYTES_MAX = 1024 * 1024;
/** Wait before the group's offsets are asked for again, in ms. */
const RETRY_MS = 1000;

/** What is read, and as whom. */
export interface SourceConfig {
  readonly topics: readonly string[];
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly reset: "earliest" | "latest";
  /** Records of a key keep their order: the machine needs to know the keys. */
  readonly ordered: boolean;
}

/** What the source tells: the machine's events, and whether the group is there. */
export interface SourceListener {
  readonly onEvent: (event: Event<KafkaRecord>) => void;
  readonly onJoined: () => void;
  readonly onLost: (why: string) => void;
}

/** What was joined: every join has its own, and outdated work of an older one is dropped. */
interface Membership {
  readonly memberId: string;
  readonly ready: Promise<void>;
}

/** A member of the consumer group. `start()` once, `stop()` at the end. */
export class KafkaSource {
  readonly #config: SourceConfig;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #listener: SourceListener;
  /** The partitions that are ours, with the next offset we expect and the epoch we took them in. */
  readonly #ours: Map<string, TopicPartition & { position: number; epoch: number }> = new Map();
  #membership: Membership | undefined;
  #epoch = 0;
  #commitOffsets: EachBatchPayload["commitOffsetsIfNecessary"] | undefined;
  #stopped = false;

  constructor(kafka: Kafka, admin: Admin, config: SourceConfig, listener: SourceListener) {
    this.#config = config;
    this.#admin = admin;
    this.#listener = listener;
    this.#consumer = kafka.consumer({
      groupId: config.groupId,
      sessionTimeout: config.sessionTimeoutMs,
      rebalanceTimeout: Math.max(60_000, config.sessionTimeoutMs),
      heartbeatInterval: Math.max(100, Math.min(3000, Math.floor(config.sessionTimeoutMs / 10))),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: FETCH_BYTES_MAX,
      maxBytesPerPartition: PARTITION_BYTES_MAX,
      metadataMaxAge: 30_000,
      allowAutoTopicCreation: false,
    });
  }

  /** Joins the group and goes on for ever; brokers that go away are waited for. */
  async start(): Promise<void> {
    const { GROUP_JOIN, REBALANCING, CRASH, END_BATCH_PROCESS } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, (event) => this.#joined(event));
    this.#consumer.on(REBALANCING, () => this.#listener.onEvent({ type: "rebalancing" }));
    this.#consumer.on(CRASH, ({ payload }) => this.#lost(String(payload.error.message)));
    this.#consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#passed(payload);
    });
    await this.#consumer.connect();
    await this.#consumer.subscribe({
      topics: [...this.#config.topics],
      fromBeginning: this.#config.reset === "earliest",
    });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#eachBatch(payload),
    });
  }

  /** Leaves the group. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#consumer.disconnect();
  }

  /** No more of a partition, without leaving the group: heartbeats go on. */
  pause({ topic, partition }: TopicPartition): void {
    this.#consumer.pause([{ topic, partitions: [partition] }]);
  }

  /** See {@link pause}. */
  resume({ topic, partition }: TopicPartition): void {
    this.#consumer.resume([{ topic, partitions: [partition] }]);
  }

  /**
   * Commits in the generation we are in now, once. kafkajs would retry in whatever generation comes next, where the
   * partition may be somebody else's; the machine decides itself whether and what to commit again.
   *
   * @throws whatever the broker refused it with.
   */
  async commit(marks: readonly PartitionCommit<KafkaRecord>[]): Promise<void> {
    if (this.#commitOffsets === undefined) throw new Error("Cannot commit before the first fetch");
    const ours = marks.filter(({ partition }) => this.#ours.get(partition.id)?.epoch === partition.epoch);
    const topics = new Map<string, { partition: number; offset: string; metadata: string }[]>();
    for (const { partition, mark } of ours) {
      const partitions = topics.get(partition.topic) ?? [];
      partitions.push({
        partition: partition.partition,
        offset: String(mark.offset),
        metadata: mark.metadata,
      });
      topics.set(partition.topic, partitions);
    }
    if (topics.size === 0) return;
    // The typed interface leaves `metadata` out; the protocol and kafkajs's encoder both take it.
    await this.#commitOffsets({
      topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
    });
  }

  /**
   * A join: what we had under the same member id stays ours with all its state, the rest goes, the new comes. The
   * broker keeps a member id only while that member takes part in every generation, so nobody else can have had a
   * partition in between.
   */
  #joined({ payload }: ConsumerGroupJoinEvent): void {
    const { memberId, memberAssignment } = payload;
    const assigned = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition }))
    );
    const ids = new Set(assigned.map(partitionId));
    const same = this.#membership?.memberId === memberId;
    const gone = [...this.#ours.values()].filter((ours) => !same || !ids.has(partitionId(ours)));
    this.#revoke(gone);
    for (const { topic, partition, position } of this.#ours.values()) {
      this.#consumer.seek({ topic, partition, offset: String(position) });
    }
    const added = assigned.filter((at) => !this.#ours.has(partitionId(at)));
    log.info("joined the group", {
      member: memberId,
      kept: this.#ours.size,
      gained: added.length,
      lost: gone.length,
    });
    const ready = Promise.withResolvers<void>();
    const membership = { memberId, ready: ready.promise };
    this.#membership = membership;
    this.#take(added, membership).then(ready.resolve, ready.reject);
  }

  #revoke(gone: readonly TopicPartition[]): void {
    for (const at of gone) this.#ours.delete(partitionId(at));
    if (gone.length > 0) this.#listener.onEvent({ type: "revoked", partitions: gone });
  }

  #lost(why: string): void {
    this.#membership = undefined;
    this.#commitOffsets = undefined;
    this.#revoke([...this.#ours.values()]);
    if (!this.#stopped) this.#listener.onLost(why);
  }

  async #take(added: readonly TopicPartition[], membership: Membership): Promise<void> {
    const partitions = added.length === 0 ? [] : await this.#startingPoints(added, membership);
    if (this.#membership !== membership) return;
    const epoch = ++this.#epoch;
    for (const { topic, partition, offset } of partitions) {
      this.#ours.set(partitionId({ topic, partition }), { topic, partition, position: offset, epoch });
      this.#consumer.seek({ topic, partition, offset: String(offset) });
    }
    // A partition that was paused under its last owner's bounds starts afresh.
    if (added.length > 0) {
      this.#consumer.resume(added.map(({ topic, partition }) => ({ topic, partitions: [partition] })));
    }
    this.#listener.onEvent({ type: "assigned", epoch, partitions });
    this.#listener.onJoined();
  }

  /** What the group committed, or where the reset policy starts; asked until there is an answer. */
  async #startingPoints(added: readonly TopicPartition[], membership: Membership): Promise<Assigned[]> {
    while (this.#membership === membership && !this.#stopped) {
      try {
        return await this.#readStartingPoints(added);
      } catch (error) {
        log.warn("the group's offsets cannot be read, trying again", { error: String(error) });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return [];
  }

  async #readStartingPoints(added: readonly TopicPartition[]): Promise<Assigned[]> {
    const topics = [...new Set(added.map(({ topic }) => topic))];
    const committed = new Map<string, { offset: string; metadata: string | null }>();
    for (
      const { topic, partitions } of await this.#admin.fetchOffsets({ groupId: this.#config.groupId, topics })
    ) {
      for (const { partition, ...rest } of partitions) committed.set(partitionId({ topic, partition }), rest);
    }
    const found: Assigned[] = [];
    for (const at of added) {
      const { offset, metadata } = committed.get(partitionId(at)) ?? { offset: "-1", metadata: null };
      const known = toOffset(offset) >= 0;
      found.push({
        ...at,
        offset: known ? toOffset(offset) : await this.#resetPoint(at),
        metadata: known ? metadata : null,
      });
    }
    return found;
  }

  async #resetPoint({ topic, partition }: TopicPartition): Promise<number> {
    const offsets = await this.#admin.fetchTopicOffsets(topic);
    const found = offsets.find((each) => each.partition === partition);
    if (found === undefined) throw new Error(`Cannot find partition ${partition} of ${topic}`);
    return toOffset(this.#config.reset === "earliest" ? found.low : found.high);
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    this.#commitOffsets = payload.commitOffsetsIfNecessary;
    await this.#membership?.ready;
    const from = { topic: batch.topic, partition: batch.partition };
    const ours = this.#ours.get(partitionId(from));
    // A pending seek makes what was fetched before it stale.
    if (ours === undefined || payload.isStale() || !payload.isRunning()) return;
    const position = toOffset(batch.lastOffset()) + 1;
    const first = batch.messages[0];
    if (first !== undefined && toOffset(first.offset) < ours.position) {
      this.#restarted(from, toOffset(first.offset));
    }
    this.#received(from, batch.messages, position, toOffset(batch.highWatermark));
    payload.resolveOffset(batch.lastOffset());
    await payload.heartbeat();
  }

  #received(
    from: TopicPartition,
    messages: EachBatchPayload["batch"]["messages"],
    position: number,
    highWatermark: number,
  ): void {
    const ours = this.#ours.get(partitionId(from));
    if (ours === undefined) return;
    ours.position = position;
    const { ordered } = this.#config;
    const records = messages.map((message) => toReceived(from.topic, from.partition, message, ordered));
    this.#listener.onEvent({ type: "received", epoch: ours.epoch, from, records, position, highWatermark });
  }

  /** Nothing but control records or aborted ones: the position moves on all the same. */
  #passed(payload: { topic: string; partition: number; lastOffset: string; highWatermark: string }): void {
    const { topic, partition } = payload;
    this.#received(
      { topic, partition },
      [],
      toOffset(payload.lastOffset) + 1,
      toOffset(payload.highWatermark),
    );
  }

  /** The log starts again below where we were (truncated, or made anew): what we knew of it is void. */
  #restarted(at: TopicPartition, offset: number): void {
    log.warn("the partition starts again at a lower offset", { ...at, offset });
    const epoch = ++this.#epoch;
    this.#listener.onEvent({ type: "revoked", partitions: [at] });
    this.#ours.set(partitionId(at), { ...at, position: offset, epoch });
    this.#listener.onEvent({ type: "assigned", epoch, partitions: [{ ...at, offset, metadata: null }] });
  }
}
