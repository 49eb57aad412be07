// TopicReader reads ranges of topics as a member of no group: it asks each partition's leader for what comes next.

import type { Broker, Cluster, Kafka } from "kafkajs";
import Batch from "kafkajs/src/consumer/batch.js";
import { logger } from "../../../shared/log.ts";
import { pause, within } from "../../../shared/wait.ts";
import type { OffsetRange, Visit } from "../../records/log_access.ts";
import type { KafkaRecord } from "../../records/record.ts";
import { clusterOf } from "../client/cluster.ts";
import { refusalOf } from "../client/refusals.ts";
import { passOver, readAnswer } from "../kafkajs_patches/answer_records.ts";
import { failuresOf, type FetchAnswer } from "../kafkajs_patches/group_fetch.ts";
import { toOffset, toReceived } from "../message.ts";

const log = logger("kafka");

/** How long ending the connections may take, in ms. */
const CLOSE_LIMIT_MS = 2000;
const FETCH_WAIT_MS = 100;
/** What is asked for at once of a partition, in bytes. */
const FETCH_BYTES = 1_048_576;
/** Aborted transactions are left out. */
const READ_COMMITTED = 1;
/** How often in a row asking may fail, and the wait in between, in ms. */
const FAILURES_MAX = 20;
const ASK_AGAIN_MS = 500;

/** A range of which something is left. */
interface Left extends OffsetRange {
  position: number;
}

/** kafkajs's view of one partition of an answer. */
interface FetchedBatch {
  readonly messages: readonly Parameters<typeof toReceived>[2][];
  lastOffset(): string;
}

/** Reads as often as it is asked to. It connects when it is first asked, and `close()` ends that. */
export class TopicReader {
  readonly #cluster: Cluster;
  readonly #bytes: number;
  #connected = false;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param bytes that are asked for at once of a partition; a batch always comes whole. */
  constructor(kafka: Kafka, bytes: number = FETCH_BYTES) {
    this.#cluster = clusterOf(kafka);
    this.#bytes = bytes;
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

  /** Ends the connections, as far as that can be done in a few seconds. */
  async close(): Promise<void> {
    if (this.#connected) await within(CLOSE_LIMIT_MS, this.#cluster.disconnect());
    this.#connected = false;
  }

  /** One fetch of each partition in turn, so that all of them get on. */
  async #readNow(
    ranges: readonly OffsetRange[],
    visit: Visit,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<void> {
    let left: readonly Left[] = ranges.map((range) => ({ ...range, position: range.from })).filter(isOpen);
    signal.throwIfAborted();
    while (left.length > 0) {
      for (const range of left) {
        const records = await this.#askUntil(range, signal);
        if (records.length > 0) await visit(records);
        signal.throwIfAborted();
      }
      left = left.filter(isOpen);
    }
  }

  /** Brokers may be away for a while, and leaders change; what is refused is not asked again. */
  async #askUntil(range: Left, signal: AbortSignal): Promise<readonly KafkaRecord[]> {
    for (let failures = 1;; failures++) {
      try {
        return await abortable(this.#ask(range), signal);
      } catch (error) {
        signal.throwIfAborted();
        if (failures >= FAILURES_MAX || refusalOf(error) !== undefined) throw error;
        log.debug("asked again", { topic: range.topic, error: String(error) });
      }
      await pause(ASK_AGAIN_MS, signal);
      signal.throwIfAborted();
      await this.#cluster.refreshMetadata().catch(() => {});
    }
  }

  /** What comes next of one partition. Asked alone, an empty answer means that nothing is there. */
  async #ask(range: Left): Promise<readonly KafkaRecord[]> {
    const { topic, partition, position, to } = range;
    const broker = await this.#leaderOf(range);
    const partitions = [{ partition, fetchOffset: String(position), maxBytes: this.#bytes }];
    const packed = await broker.fetch(
      {
        maxWaitTime: FETCH_WAIT_MS,
        minBytes: 1,
        maxBytes: this.#bytes,
        isolationLevel: READ_COMMITTED,
        topics: [{ topic, partitions }],
      } as Parameters<Broker["fetch"]>[0],
    ) as unknown as FetchAnswer;
    const [failure] = failuresOf(packed);
    if (failure !== undefined) return await this.#failed(range, failure.error);
    const { answer, unread } = await readAnswer(packed, () => position);
    const data = passOver(answer, unread).responses[0]?.partitions[0];
    if (data === undefined) return [];
    const batch = new Batch(topic, String(position), data) as FetchedBatch;
    range.position = Math.max(position, toOffset(batch.lastOffset()) + 1);
    return batch.messages.map((message) => toReceived(topic, partition, message, false).record)
      .filter(({ offset }) => offset >= position && offset < to);
  }

  /** What was deleted meanwhile is passed over. */
  async #failed(range: Left, error: Error & { readonly type?: string }): Promise<readonly []> {
    if (error.name !== "KafkaJSOffsetOutOfRange") throw error;
    const { topic, partition } = range;
    const [found] = await this.#cluster.fetchTopicsOffset([{
      topic,
      partitions: [{ partition }],
      fromBeginning: true,
    }]);
    const first = toOffset(String(found?.partitions[0]?.offset));
    range.position = first > range.position ? first : range.to;
    return [];
  }

  async #leaderOf({ topic, partition }: OffsetRange): Promise<Broker> {
    if (!this.#connected) {
      this.#connected = true;
      await this.#cluster.connect();
    }
    await this.#cluster.addTargetTopic(topic);
    const leaders = this.#cluster.findLeaderForPartitions(topic, [partition]);
    const [nodeId] = Object.keys(leaders);
    if (nodeId === undefined) throw new Error(`${topic}/${partition} has no leader`);
    return await this.#cluster.findBroker({ nodeId });
  }
}

function isOpen({ position, to }: Left): boolean {
  return position < to;
}

/** Rejects when the signal fires; what was asked for goes on and is forgotten. */
async function abortable<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  const fired = Promise.withResolvers<never>();
  const fire = () => fired.reject(signal.reason);
  signal.addEventListener("abort", fire, { once: true });
  asked.catch(() => {});
  try {
    return await Promise.race([asked, fired.promise]);
  } finally {
    signal.removeEventListener("abort", fire);
  }
}
