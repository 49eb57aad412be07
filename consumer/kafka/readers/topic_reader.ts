// TopicReader reads ranges of topics that another group owns, in a throwaway group that commits nothing.

import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import { partitionId, type TopicPartition } from "../../records/position.ts";
import { within } from "../../../shared/wait.ts";
import { Forbidden, refusalOf } from "../client/refusals.ts";
import type { OffsetRange, Visit } from "../../records/log_access.ts";
import { toOffset, toReceived } from "../message.ts";

const log = logger("kafka");

/** How long leaving may take, in ms. */
const LEAVE_LIMIT_MS = 2000;
const FETCH_WAIT_MS = 100;
/** How often in a row joining or reading may fail, and the wait in between, in ms. */
const CRASHES_MAX = 10;
const RUN_AGAIN_MS = 500;

/** Reading that has joined and got nothing for so long is given up, in ms: a partition may have lost its leader. */
const STALLED_MS = 15_000;

interface Reading {
  readonly left: Map<string, { readonly at: TopicPartition; position: number; readonly to: number }>;
  readonly visit: Visit;
  readonly done: PromiseWithResolvers<void>;
  /** Gives up; begun anew whenever something comes. */
  stalled: ReturnType<typeof setTimeout> | undefined;
}

/** Reads the same topics as often as it is asked to; the first time takes as long as joining a group does. */
export class TopicReader {
  readonly #consumer: Consumer;
  readonly #topics: readonly string[];
  readonly #prefix: string;
  #started: Promise<void> | undefined;
  #assigned: readonly TopicPartition[] = [];
  #joined = Promise.withResolvers<void>();
  #reading: Reading | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #crashes = 0;
  #gaveUp = false;
  #again: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** @param groupId begins the throwaway group's name, so that rights that go by prefix cover it. */
  constructor(kafka: Kafka, groupId: string, topics: readonly string[]) {
    this.#topics = topics;
    this.#prefix = `${groupId}.reader-`;
    // Whoever reads hears of it.
    this.#joined.promise.catch(() => {});
    this.#consumer = kafka.consumer({
      groupId: this.#prefix + crypto.randomUUID().slice(0, 8),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
    });
  }

  /**
   * Reads ranges to their ends, control records and aborted ones left out. Reads wait for each other.
   *
   * @throws what the broker refused it with, or the reason of `signal`.
   */
  async read(ranges: readonly OffsetRange[], visit: Visit, signal?: AbortSignal): Promise<void> {
    const turn = this.#queue.then(() => this.#readNow(ranges, visit, signal));
    this.#queue = turn.catch(() => {});
    await turn;
  }

  /** Leaves, as far as that can be done in a few seconds. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#again);
    if (this.#started !== undefined) await within(LEAVE_LIMIT_MS, this.#consumer.disconnect());
  }

  async #readNow(ranges: readonly OffsetRange[], visit: Visit, signal?: AbortSignal): Promise<void> {
    const wanted = ranges.filter(({ from, to }) => from < to);
    signal?.throwIfAborted();
    if (wanted.length === 0) return;
    const left = new Map(wanted.map(({ topic, partition, from, to }) => {
      const at = { topic, partition };
      return [partitionId(at), { at, position: from, to }];
    }));
    const reading: Reading = { left, visit, done: Promise.withResolvers<void>(), stalled: undefined };
    const giveUp = () => reading.done.reject(signal?.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      if (this.#gaveUp) this.#beginAgain();
      this.#started ??= this.#start();
      await Promise.race([this.#started.then(() => this.#joined.promise), reading.done.promise]);
      this.#reading = reading;
      this.#progressed();
      this.#position();
      await reading.done.promise;
    } finally {
      signal?.removeEventListener("abort", giveUp);
      clearTimeout(reading.stalled);
      this.#reading = undefined;
      this.#pauseAll();
    }
  }

  #progressed(): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    clearTimeout(reading.stalled);
    reading.stalled = setTimeout(() => {
      const [first] = reading.left.keys();
      reading.done.reject(new Error(`Nothing of ${first} came for ${STALLED_MS / 1000} s`));
    }, STALLED_MS);
  }

  async #start(): Promise<void> {
    const { GROUP_JOIN, CRASH, END_BATCH_PROCESS } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, (event) => this.#joinedGroup(event));
    this.#consumer.on(CRASH, ({ payload }) => {
      if (!payload.restart) this.#crashed(payload.error);
    });
    this.#consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#passed(payload, toOffset(payload.lastOffset) + 1);
    });
    await this.#run();
  }

  /** Whoever asks again after we gave up gets a new beginning: what was wrong may have been mended. */
  #beginAgain(): void {
    this.#gaveUp = false;
    this.#crashes = 0;
    this.#joined = Promise.withResolvers();
    this.#joined.promise.catch(() => {});
    this.#started = this.#run();
  }

  async #run(): Promise<void> {
    try {
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: [...this.#topics], fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
    } catch (error) {
      this.#crashed(error as Error);
    }
  }

  /** A coordinator that is loading, as a fresh broker's is, is enough for kafkajs to give up; we do not so soon. */
  #crashed(error: Error): void {
    this.#crashes += 1;
    if (this.#closed) return;
    const refused = refusalOf(error) !== undefined;
    if (this.#crashes <= CRASHES_MAX && !refused) {
      this.#again = setTimeout(() => void this.#run(), RUN_AGAIN_MS);
      return;
    }
    const why = isGroupForbidden(error)
      ? new Forbidden([`join groups that begin with ${this.#prefix}`])
      : error;
    this.#gaveUp = true;
    this.#joined.reject(why);
    this.#reading?.done.reject(why);
  }

  #joinedGroup({ payload: { memberAssignment } }: ConsumerGroupJoinEvent): void {
    this.#assigned = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition }))
    );
    this.#crashes = 0;
    this.#position();
    this.#joined.resolve();
  }

  /** Everything stands still but what is being read. */
  #position(): void {
    this.#pauseAll();
    for (const { at, position } of this.#reading?.left.values() ?? []) {
      this.#whileConsuming(() => {
        this.#consumer.seek({ ...at, offset: String(position) });
        this.#consumer.resume([{ topic: at.topic, partitions: [at.partition] }]);
      });
    }
  }

  #pauseAll(): void {
    if (this.#assigned.length === 0) return;
    const all = this.#assigned.map(({ topic, partition }) => ({ topic, partitions: [partition] }));
    this.#whileConsuming(() => this.#consumer.pause(all));
  }

  /** Between a crash and the next join there is nothing to pause or seek in; the join does it then. */
  #whileConsuming(act: () => void): void {
    try {
      act();
    } catch (error) {
      log.debug("not consuming now", { error: String(error) });
    }
  }

  async #eachBatch({ batch, isStale, resolveOffset }: EachBatchPayload): Promise<void> {
    const reading = this.#reading;
    const at = { topic: batch.topic, partition: batch.partition };
    const wanted = reading?.left.get(partitionId(at));
    if (reading === undefined || wanted === undefined || isStale()) return;
    const records = batch.messages.map((message) => toReceived(at.topic, at.partition, message, false).record)
      .filter(({ offset }) => offset >= wanted.position && offset < wanted.to);
    try {
      if (records.length > 0) await reading.visit(records);
    } catch (error) {
      // What the visitor throws is the reader's caller's, not a reason to join again.
      return reading.done.reject(error);
    }
    resolveOffset(batch.lastOffset());
    this.#passed(at, toOffset(batch.lastOffset()) + 1);
  }

  #passed({ topic, partition }: TopicPartition, position: number): void {
    const wanted = this.#reading?.left.get(partitionId({ topic, partition }));
    if (this.#reading === undefined || wanted === undefined) return;
    wanted.position = Math.max(wanted.position, position);
    this.#progressed();
    if (wanted.position < wanted.to) return;
    this.#reading.left.delete(partitionId({ topic, partition }));
    this.#whileConsuming(() => this.#consumer.pause([{ topic, partitions: [partition] }]));
    if (this.#reading.left.size === 0) this.#reading.done.resolve();
  }
}

function isGroupForbidden(error: Error): boolean {
  const { type, cause } = error as { readonly type?: string; readonly cause?: unknown };
  return type === "GROUP_AUTHORIZATION_FAILED" || (cause instanceof Error && isGroupForbidden(cause));
}
