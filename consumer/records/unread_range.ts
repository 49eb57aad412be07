// UnreadRange: records of a partition that nobody can read, because their batch cannot be unpacked.

import type { TopicPartition } from "./position.ts";

/** From the first offset to the last. */
export interface UnreadRange extends TopicPartition {
  readonly from: number;
  readonly to: number;
  /** Records that the batch says it has. */
  readonly records: number;
  /** The latest of theirs, in ms since the epoch. */
  readonly timestampMs: number;
  readonly why: string;
}
