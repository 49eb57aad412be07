// Ports: what dead-letter operations need of Kafka and of the clock; tests replace both.

import type { GroupCommit, OffsetRange, PlacedRecord, Visit } from "../records/log_access.ts";

/** Reads ranges of dead-letter topics. */
export interface LetterReader {
  read(ranges: readonly OffsetRange[], visit: Visit, signal?: AbortSignal): Promise<void>;
}

/** Sends replays and marks, all at once or not at all. */
export interface LetterSender {
  /**
   * @param more records that follow in the same transaction, from the offsets of the first.
   * @throws {RecordTooLarge} when the records of one partition are more than its topic takes at once.
   */
  send(
    records: readonly PlacedRecord[],
    more?: (offsets: readonly number[]) => readonly PlacedRecord[],
  ): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** What dead-letter operations need of Kafka and of the clock; tests replace both. */
export interface DeadLetterPorts {
  /** The group whose dead letters these are. */
  readonly groupId: string;
  /** The dead-letter topics there are. */
  readonly topics: () => Promise<readonly string[]>;
  /** Where replays of a source topic's records go. */
  readonly retryTopicOf: (topic: string) => string;
  readonly offsets: {
    ranges(topic: string): Promise<readonly OffsetRange[]>;
    partitions(topic: string): Promise<number>;
    committed(groupId: string, topic: string): Promise<readonly GroupCommit[]>;
  };
  readonly reader: () => Promise<LetterReader>;
  /** Opens the one sender of this group; an earlier one can send nothing any more. */
  readonly openSender: () => Promise<LetterSender>;
  /** So many dead letters are in memory at once, and a fetch more; 20,000 by default. */
  readonly pageSize?: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Resolves after `ms`, or as soon as `signal` fires. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}
