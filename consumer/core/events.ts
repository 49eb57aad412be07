// Events and commands: what goes into the machine and what comes out. Nothing else crosses the border of the core.

import type { Outcome } from "../../shared/contract/outcome.ts";
import type { Commit, PartitionCommit } from "./commits.ts";
import type { DeadLetterReason, Delivery, Received } from "./delivery.ts";
import type { Flow } from "./policies/flow.ts";
import type { PauseCause } from "./policies/breaker.ts";
import type { LetterUpdate } from "./parking/letters.ts";
import type { Partition } from "./partition.ts";
import type { TopicPartition } from "../records/position.ts";

/** A partition that was assigned to us, with what the group committed for it. */
export interface Assigned extends TopicPartition {
  /** Where reading starts: the committed offset, or where the reset policy says. */
  readonly offset: number;
  /** The commit's metadata; null or empty where there is none. */
  readonly metadata: string | null;
}

/** Everything that can happen to the machine. */
export type Event<R> =
  /** Partitions are ours now. Those that were ours before must not be in it. */
  | { readonly type: "assigned"; readonly epoch: number; readonly partitions: readonly Assigned[] }
  /** Partitions are not ours any more. */
  | { readonly type: "revoked"; readonly partitions: readonly TopicPartition[] }
  /** The group rebalances: partitions may go soon. */
  | { readonly type: "rebalancing" }
  | {
    readonly type: "received";
    readonly epoch: number;
    readonly from: TopicPartition;
    readonly records: readonly Received<R>[];
    /** The next offset to fetch, past control records and gaps. */
    readonly position: number;
    /** One past the last offset of the log. */
    readonly highWatermark: number;
  }
  | { readonly type: "attempt_finished"; readonly delivery: Delivery<R>; readonly outcome: Outcome }
  /** We gave the attempt up; nothing is known of its outcome. */
  | { readonly type: "attempt_abandoned"; readonly delivery: Delivery<R> }
  | {
    readonly type: "dead_letter_written";
    readonly delivery: Delivery<R>;
    /** Where it is in its partition of the dead-letter topic; has to be known where keys are parked. */
    readonly offset?: number;
  }
  | { readonly type: "dead_letter_failed"; readonly delivery: Delivery<R> }
  /** Where keys are parked: what the dead-letter topic says about the keys of a partition. */
  | {
    readonly type: "letters_read";
    readonly epoch: number;
    readonly at: TopicPartition;
    readonly news: LetterUpdate;
  }
  | {
    readonly type: "commit_finished";
    readonly id: number;
    readonly ok: boolean;
    /** Those of a commit that went well which were refused all the same. */
    readonly refused?: readonly PartitionCommit<R>[];
  }
  /** How many attempts the pool takes at once now. */
  | { readonly type: "permits_changed"; readonly permits: number }
  /** Operators hold, release or limit what is sent, or the group reads more or fewer partitions. */
  | { readonly type: "flow_changed"; readonly flow: Flow }
  /** What the replicas' `/readyz` said. */
  | { readonly type: "readiness_checked"; readonly ready: boolean }
  /** They say that they are ready, and did not when they were asked before. */
  | { readonly type: "replicas_ready" }
  /** An operator lets dead letters through. */
  | { readonly type: "dead_letters_allowed"; readonly count: number }
  /** An operator wants this record dead-lettered, whatever its attempts come to. */
  | { readonly type: "take_requested"; readonly at: TopicPartition; readonly offset: number }
  /** Time has passed; `wakeAtMs` asked for it. */
  | { readonly type: "tick" }
  | { readonly type: "stop_requested" };

/** A decision worth a line in the log. */
export type Notice<R> =
  | { readonly kind: "settled"; readonly delivery: Delivery<R> }
  | {
    readonly kind: "retrying";
    readonly delivery: Delivery<R>;
    readonly waitMs: number;
    /** The attempt counts against the record. */
    readonly counted: boolean;
  }
  | { readonly kind: "paused"; readonly cause: PauseCause; readonly last: Outcome | undefined }
  | { readonly kind: "resumed"; readonly pausedMs: number }
  | { readonly kind: "stale"; readonly delivery: Delivery<R> }
  | { readonly kind: "map_untrusted"; readonly at: TopicPartition; readonly why: string };

/** The commands that one event brings, in order. */
export type Outbox<R> = Command<R>[];

/** Everything the machine asks for. */
export type Command<R> =
  | {
    readonly type: "send";
    readonly delivery: Delivery<R>;
    /** POSTs of this record, this one included, from 1. */
    readonly attempt: number;
  }
  | { readonly type: "commit"; readonly commit: Commit<R> }
  | { readonly type: "dead_letter"; readonly delivery: Delivery<R>; readonly reason: DeadLetterReason }
  | { readonly type: "pause"; readonly partition: Partition<R> }
  | { readonly type: "resume"; readonly partition: Partition<R> }
  | { readonly type: "check_readiness" }
  /** Nothing came for `IDLE_EXIT_MS` and nothing is left to do. */
  | { readonly type: "idle" }
  /** After `stop_requested`: everything in flight is finished and committed, or the grace is over. */
  | { readonly type: "stopped"; readonly clean: boolean }
  | { readonly type: "notice"; readonly notice: Notice<R> };
