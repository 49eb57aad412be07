// One record's way through the pool, and what it belongs to.

import type { Outcome } from "../../shared/contract/outcome.ts";
import type { Origin, ParkedBehind } from "./parking/letters.ts";
import type { Partition } from "./partition.ts";

/** Why a record is dead-lettered. */
export type DeadLetterReason =
  | "rejected"
  | "attempts-exhausted"
  | "ticket-not-found"
  | "asked-by-worker"
  /** An operator took it out. */
  | "operator"
  /** An earlier record of its key is a dead letter. */
  | "parked";

/** A record as the source hands it in. The core never looks into `record`. */
export interface Received<R> {
  readonly offset: number;
  /** The record's own timestamp, in ms. */
  readonly timestampMs: number;
  /** Size of key, value and headers. */
  readonly bytes: number;
  /** What orders it in `key` mode; null for a record without a key. */
  readonly key: string | null;
  /** What it is a replay of; undefined where it is none. */
  readonly origin?: Origin;
  readonly record: R;
}

/**
 * Where a delivery is:
 *
 * ```
 * ready ─▶ in_flight ─▶ settled
 *   ▲         │  ├────▶ judging ─▶ waiting | dead_lettering
 *   └─ waiting ◀┘  └──▶ dead_lettering ─▶ settled
 * ```
 *
 * `dropped` is reached from everywhere when its partition goes.
 */
export type DeliveryState =
  | "ready"
  | "in_flight"
  | "judging"
  | "waiting"
  | "dead_lettering"
  | "settled"
  | "dropped";

/** One record on its way. Only the machine changes it. */
export interface Delivery<R> extends Readonly<Received<R>> {
  readonly partition: Partition<R>;
  /** What it is ordered by: one in flight at a time; undefined when nothing orders it. */
  readonly lane: string | undefined;
  /** When it was received, in ms. */
  readonly receivedMs: number;
  seq: number;
  state: DeliveryState;
  /** Attempts that counted against it. */
  attemptsCounted: number;
  /** POSTs made of it, counted or not. */
  attemptsSent: number;
  /** Failures in a row, counted or not: what the backoff grows with. */
  failures: number;
  lastOutcome: Outcome | undefined;
  /** When its last attempt failed that was for the verdict to judge, in ms. */
  lastFailedMs: number | undefined;
  /** When it was sent for the first time, in ms. */
  sentMs: number | undefined;
  /** An operator wants it dead-lettered as soon as can be. */
  takenByOperator: boolean;
  /** Belongs to the open batch, in `batch` mode. */
  batched: boolean;
  /** Why it is dead-lettered, once it is. */
  reason: DeadLetterReason | undefined;
  /** What it is parked behind. */
  parkedBehind: ParkedBehind | undefined;
}
