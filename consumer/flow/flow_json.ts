// FlowJson: what is paused and limited, for machines: the answer of every route below `/flow`.

import type { FlowPause } from "./flow_settings.ts";

/** Who set something, from which address and when (ISO 8601). */
export interface SetBy {
  readonly by: string;
  readonly from: string;
  readonly since: string;
}

/** What is paused and limited. The group's, but for `here`. */
export interface FlowJson {
  /** Grows with every change; 0 where nothing was ever set. */
  readonly version: number;
  /** `topic` null: everything; `partition` null: all of the topic. */
  readonly pauses: readonly FlowPause[];
  readonly rate: {
    /** Attempts a second of the group; null: no limit. */
    readonly recordsPerSecond: number | null;
    /** Null where `RATE_LIMIT` says so, or nobody does. */
    readonly setBy: SetBy | null;
  };
  readonly pool: {
    /** Attempts at once of the group; null: as many as the pools take. */
    readonly permits: number | null;
    readonly setBy: SetBy | null;
  };
  /** This consumer's part. */
  readonly here: {
    readonly partitions: number;
    /** Partitions that the group reads; null where that is not known yet. */
    readonly ofPartitions: number | null;
    readonly recordsPerSecond: number | null;
    /** Attempts at once now. */
    readonly permits: number;
    /** `topic/partition` that are paused. */
    readonly held: readonly string[];
  };
  /** Null where Kafka keeps it; otherwise why not: then nothing can be paused or changed. */
  readonly notKept: string | null;
}
