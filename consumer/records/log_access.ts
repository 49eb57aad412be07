// Log access: what readers, producers and commits exchange, as types that name no Kafka client.

import type { TopicPartition } from "./position.ts";
import type { HeaderValue, KafkaRecord } from "./record.ts";

/** Offsets `from` to `to` of a partition, `to` not included. */
export interface OffsetRange extends TopicPartition {
  readonly from: number;
  readonly to: number;
}

/** Is given a partition's next records, in order. Reading waits for it. */
export type Visit = (records: readonly KafkaRecord[]) => void | Promise<void>;

/** A record for a partition of its sender's choice. */
export interface PlacedRecord extends TopicPartition {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, HeaderValue>>;
}

/** What a group has committed on one partition. */
export interface GroupCommit {
  readonly partition: number;
  /** Undefined where it has not committed yet. */
  readonly offset: number | undefined;
  readonly metadata: string | null;
}

/** Another sender of the same name has begun: this one can send nothing any more. */
export class ProducerFenced extends Error {
  override readonly name = "ProducerFenced";
}

/** A record, or a batch of them, is larger than the topic takes. */
export class RecordTooLarge extends Error {
  override readonly name = "RecordTooLarge";
}

/** The topic takes no such record, however often it is sent; the message says why, for people. */
export class RecordRefused extends Error {
  override readonly name = "RecordRefused";
}
