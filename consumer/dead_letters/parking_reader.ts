// ParkingReader: tells the machine which keys are parked, and whether their replays have settled.

import type { Cause } from "../../shared/http/health.ts";
import { logger } from "../../shared/log.ts";
import type { Assigned, Event } from "../core/events.ts";
import { LetterLog } from "../core/parking/letter_log.ts";
import type { LetterOrigin, ReplayPlace } from "../core/parking/letters.ts";
import { partitionId, type TopicPartition } from "../records/position.ts";
import { settledBy } from "./replay/canary.ts";
import { type StoredEntry, toEntry } from "./parking_entries.ts";
import type { DeadLetterPorts, LetterReader } from "./ports.ts";
import type { OffsetRange } from "../records/log_access.ts";
import type { KafkaRecord } from "../records/record.ts";
import {
  deadLetterTopicOf,
  isRetryTopic,
  retryTopicOf,
  type SideTopicNames,
} from "../records/topic_names.ts";

const log = logger("consumer");

/** Time between two readings while keys are parked, and after one that failed, in ms. */
const LOOK_EVERY_MS = 1000;

/** What reading needs of Kafka, of time and of the machine. */
export interface ParkingPorts extends Pick<DeadLetterPorts, "nowMs" | "pause"> {
  readonly offsets: Pick<DeadLetterPorts["offsets"], "partitions" | "committed"> & {
    /** Of the partitions that a broker leads. */
    readonly knownRanges: DeadLetterPorts["offsets"]["ranges"];
  };
  readonly reader: () => LetterReader;
  readonly feed: (event: Event<KafkaRecord>) => void;
  /** Ids of the partitions that have parked keys. */
  readonly parked: () => ReadonlySet<string>;
  readonly close: () => Promise<unknown>;
}

/** A partition of ours, and the one of the dead-letter topic that has its letters. */
interface WatchedPartition {
  readonly at: TopicPartition;
  readonly epoch: number;
  readonly deadLetters: string;
  readonly retries: string;
  readonly isOurs: (origin: LetterOrigin) => boolean;
  readonly log: LetterLog;
  /** The next offset to read; undefined before the first look. */
  position: number | undefined;
}

/** A dead-letter topic now. */
interface Letters {
  readonly partitions: number;
  /** Of those that a broker leads. */
  readonly ranges: readonly OffsetRange[];
}

/**
 * Follows the assignment and reads the dead letters of each partition: once before its first record is sent, then every
 * second as long as the partition has parked keys.
 */
export class ParkingReader {
  readonly #names: SideTopicNames;
  readonly #ports: ParkingPorts;
  readonly #watched: Map<string, WatchedPartition> = new Map();
  readonly #closing = new AbortController();
  #working: Promise<void> = Promise.resolve();
  #waking = new AbortController();
  #cause: Cause | undefined;

  constructor(names: SideTopicNames, ports: ParkingPorts) {
    this.#names = names;
    this.#ports = ports;
  }

  /** Why partitions wait; none while the dead-letter topics can be read. */
  causes(): readonly Cause[] {
    return this.#cause === undefined ? [] : [this.#cause];
  }

  start(): void {
    this.#working = this.#work();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#waking.abort();
    await this.#working;
    await this.#ports.close();
  }

  /** Takes note of an event on its way to the machine. */
  follow(event: Event<KafkaRecord>): void {
    if (event.type === "assigned") {
      for (const at of event.partitions) this.#watched.set(partitionId(at), this.#watch(at, event.epoch));
      this.#waking.abort();
    }
    if (event.type === "revoked") event.partitions.forEach((at) => this.#watched.delete(partitionId(at)));
  }

  #watch({ topic, partition, offset }: Assigned, epoch: number): WatchedPartition {
    const { groupId, deadLetterTopic, retryTopic } = this.#names;
    const at = { topic, partition };
    const id = partitionId(at);
    const isRetry = isRetryTopic(topic, this.#names);
    // Where RETRY_TOPIC is set DEAD_LETTER_TOPIC is set too, so the source's name is not needed.
    const source = isRetry ? topic.slice(0, -retryTopicOf("", groupId, undefined).length) : topic;
    return {
      at,
      epoch,
      deadLetters: deadLetterTopicOf(source, groupId, deadLetterTopic),
      retries: retryTopicOf(source, groupId, retryTopic),
      isOurs: (origin) =>
        isRetry ? retryTopicOf(origin.topic, groupId, retryTopic) === topic : partitionId(origin) === id,
      log: new LetterLog((origin) => isRetry ? origin.letter !== undefined : origin.offset >= offset),
      position: undefined,
    };
  }

  async #work(): Promise<void> {
    const { pause, parked } = this.#ports;
    while (!this.#closing.signal.aborted) {
      this.#waking = new AbortController();
      const ids = parked();
      const due = [...this.#watched].filter(([id, { position }]) => position === undefined || ids.has(id));
      const failed = due.length > 0 && !await this.#look(due.map(([, watched]) => watched));
      // A new partition ends the wait, but not the wait after a failure; `close()` ends both.
      await pause(LOOK_EVERY_MS, failed ? this.#closing.signal : this.#waking.signal);
    }
  }

  async #look(partitions: readonly WatchedPartition[]): Promise<boolean> {
    const askedMs = this.#ports.nowMs();
    // By topic or partition: what cannot be asked costs the partitions that need it, and no others.
    const failed = new Map<string, Error>();
    try {
      // The order matters: a replay that came back is written as a letter before it is committed.
      const settled = await this.#settledReplays(partitions, failed);
      const ranges = await this.#ranges(partitions, failed);
      const known = partitions.filter((watched) =>
        !failed.has(watched.deadLetters) && !failed.has(watched.retries) && isLed(watched, ranges, failed)
      );
      const entries = await this.#read(known, ranges);
      for (const watched of known) this.#report(watched, ranges, entries, settled, askedMs);
      for (const error of failed.values()) throw error;
      if (this.#cause !== undefined) log.info("the dead-letter topics can be read again");
      this.#cause = undefined;
      return true;
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#failed(error as Error);
      return false;
    }
  }

  async #settledReplays(
    partitions: readonly WatchedPartition[],
    failed: Map<string, Error>,
  ): Promise<(place: ReplayPlace) => boolean> {
    const { offsets } = this.#ports;
    // Each commit is decoded once, since many replays may be compared with it.
    const covers = new Map<string, ReturnType<typeof settledBy>>();
    for (const topic of new Set(partitions.map(({ retries }) => retries))) {
      await noting(failed, topic, async () => {
        if (await offsets.partitions(topic) === 0) return;
        for (const commit of await offsets.committed(this.#names.groupId, topic)) {
          covers.set(partitionId({ topic, partition: commit.partition }), settledBy(commit));
        }
      });
    }
    return ({ at, offset }) => covers.get(at)?.(offset) ?? false;
  }

  /** By dead-letter topic. */
  async #ranges(
    partitions: readonly WatchedPartition[],
    failed: Map<string, Error>,
  ): Promise<ReadonlyMap<string, Letters>> {
    const { offsets } = this.#ports;
    const found = new Map<string, Letters>();
    for (const { deadLetters, retries } of partitions) {
      if (found.has(deadLetters) || failed.has(deadLetters)) continue;
      await noting(failed, deadLetters, async () => {
        const count = await offsets.partitions(deadLetters);
        const others = await offsets.partitions(retries);
        if (count > 0 && others > 0 && count !== others) {
          throw new Error(
            `${deadLetters} has ${count} partitions and ${retries} has ${others}: PARK_KEYS needs as many of both`,
          );
        }
        found.set(deadLetters, { partitions: count, ranges: await offsets.knownRanges(deadLetters) });
      });
    }
    return found;
  }

  /** What is new, by partition of the dead-letter topics. */
  async #read(
    partitions: readonly WatchedPartition[],
    ranges: ReadonlyMap<string, Letters>,
  ): Promise<ReadonlyMap<string, readonly StoredEntry[]>> {
    const wanted = new Map<string, OffsetRange>();
    for (const watched of partitions) {
      const range = rangeOf(watched, ranges);
      if (range === undefined) continue;
      const from = Math.max(
        range.from,
        Math.min(watched.position ?? 0, wanted.get(partitionId(range))?.from ?? Infinity),
      );
      if (from < range.to) wanted.set(partitionId(range), { ...range, from });
    }
    const entries = new Map<string, StoredEntry[]>();
    if (wanted.size === 0) return entries;
    const reader = this.#ports.reader();
    await reader.read([...wanted.values()], (records) => {
      for (const record of records) {
        const entry = toEntry(record);
        if (entry === undefined) continue;
        const id = partitionId(record);
        const before = entries.get(id);
        if (before === undefined) entries.set(id, [{ offset: record.offset, entry }]);
        else before.push({ offset: record.offset, entry });
      }
    }, this.#closing.signal);
    return entries;
  }

  #report(
    watched: WatchedPartition,
    ranges: ReadonlyMap<string, Letters>,
    entries: ReadonlyMap<string, readonly StoredEntry[]>,
    settled: (place: ReplayPlace) => boolean,
    askedMs: number,
  ): void {
    if (this.#watched.get(partitionId(watched.at)) !== watched) return;
    const range = rangeOf(watched, ranges);
    const { position = 0 } = watched;
    const upTo = Math.max(position, range?.to ?? 0);
    const unread = (range === undefined ? [] : entries.get(partitionId(range)) ?? [])
      .filter(({ offset, entry }) =>
        offset >= position && (entry.kind !== "letter" || watched.isOurs(entry.letter.origin))
      );
    const read = watched.log.take(unread.map(({ entry }) => entry), upTo, settled, askedMs);
    const news = range === undefined ? read : { ...read, from: range.from };
    const open = news.letters.length;
    if (watched.position === undefined && open > 0) {
      log.info("keys are parked", { ...watched.at, letters: open });
    }
    watched.position = upTo;
    this.#ports.feed({ type: "letters_read", epoch: watched.epoch, at: watched.at, news });
  }

  #failed(error: Error): void {
    const detail = `Which keys are parked cannot be read: ${error.message}`;
    const remedy = "Partitions that were just assigned wait. Make the topic readable, or unset PARK_KEYS.";
    if (this.#cause?.detail !== detail) log.warn("cause", { cause: "dead-letters-unread", detail, remedy });
    const sinceMs = this.#cause?.sinceMs ?? this.#ports.nowMs();
    this.#cause = { name: "dead-letters-unread", sinceMs, detail, remedy };
  }
}

/** Notes a partition of a dead-letter topic that nobody leads: what is in it is not known. */
function isLed(
  watched: WatchedPartition,
  topics: ReadonlyMap<string, Letters>,
  failed: Map<string, Error>,
): boolean {
  const { partitions = 0 } = topics.get(watched.deadLetters) ?? {};
  if (partitions === 0 || rangeOf(watched, topics) !== undefined) return true;
  const id = partitionId({ topic: watched.deadLetters, partition: watched.at.partition % partitions });
  failed.set(id, new Error(`No broker leads ${id}`));
  return false;
}

/** The partition of the dead-letter topic with the same number; undefined where there is none, or nobody leads it. */
function rangeOf(
  { at, deadLetters }: WatchedPartition,
  topics: ReadonlyMap<string, Letters>,
): OffsetRange | undefined {
  const { partitions, ranges } = topics.get(deadLetters) ?? { partitions: 0, ranges: [] };
  return ranges.find(({ partition }) => partition === at.partition % partitions);
}

async function noting(failed: Map<string, Error>, topic: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    failed.set(topic, error as Error);
  }
}
