// Positions of partitions and records; the only place that writes them as text.

/** A partition's name. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A record's place in the log. */
export interface RecordPosition extends TopicPartition {
  readonly offset: number;
}

/** Where a record was read first, and when it was written: an offset alone is none's for ever. */
export interface Origin extends RecordPosition {
  /** The record's own timestamp, in ms since the epoch; -1 where it has none. */
  readonly timestampMs: number;
}

/** What a commit says about one partition. */
export interface CommitMark {
  readonly offset: number;
  readonly metadata: string;
}

/** `topic/partition`: topic names have no slash. */
export function partitionId({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** `topic/partition/offset`. */
export function recordPosition({ topic, partition, offset }: RecordPosition): string {
  return `${topic}/${partition}/${offset}`;
}
