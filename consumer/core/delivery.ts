// Delivery: one record's way through the pool. It owns its state, and a table says which transitions are legal.

import type { Outcome } from "../../shared/contract/outcome.ts";
import type { LetterOrigin, ParkedBehind } from "./parking/letters.ts";
import type { LedgerEntry } from "./offsets/ledger.ts";
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
  readonly origin?: LetterOrigin;
  readonly record: R;
}

/** Where a delivery is. */
export type DeliveryState =
  /** It waits for a permit, or for those before it in its lane. */
  | "ready"
  /** An attempt is out. */
  | "in_flight"
  /** Its attempt failed, and the replicas' `/readyz` decides whose fault that was. */
  | "judging"
  /** It waits for its retry. */
  | "waiting"
  /** It is on its way to the dead-letter topic. */
  | "dead_lettering"
  /** A worker or the dead-letter topic has it. */
  | "settled"
  /** Its partition went before it was settled. */
  | "dropped";

/** What may follow each state; nothing follows the last two. */
const TRANSITIONS: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  // `settled` without an attempt: it is a dead letter that nobody came to commit.
  ready: ["in_flight", "dead_lettering", "settled", "dropped"],
  in_flight: ["settled", "ready", "waiting", "judging", "dead_lettering", "dropped"],
  judging: ["ready", "waiting", "dead_lettering", "dropped"],
  waiting: ["ready", "dead_lettering", "dropped"],
  dead_lettering: ["settled", "dropped"],
  settled: [],
  dropped: [],
};

/** One record on its way. Everything about it that changes is changed here. */
export class Delivery<R> {
  readonly offset: number;
  readonly timestampMs: number;
  readonly bytes: number;
  readonly key: string | null;
  readonly origin: LetterOrigin | undefined;
  readonly record: R;
  readonly partition: Partition<R>;
  /** What it is ordered by: one in flight at a time; undefined when nothing orders it. */
  readonly lane: string | undefined;
  /** When it was received, in ms. */
  readonly receivedMs: number;
  /** Its place in the partition's ledger. */
  readonly entry: LedgerEntry<Delivery<R>>;
  /** Belongs to the open batch, in `batch` mode. */
  inBatch = false;
  #state: DeliveryState = "ready";
  #attemptsCounted: number;
  #attemptsSent: number;
  #failures: number;
  #lastOutcome: Outcome | undefined;
  #hasFailed: boolean;
  #lastCountedMs: number | undefined;
  #refusedSinceMs: number | undefined;
  #lastRefusedMs: number | undefined;
  #sentMs: number | undefined;
  #takenByOperator = false;
  #reason: DeadLetterReason | undefined;
  #parkedBehind: ParkedBehind | undefined;

  /**
   * @param attempts what an earlier owner counted against it.
   * @param refusedMinutes for how long that was answered "later".
   */
  constructor(
    received: Received<R>,
    partition: Partition<R>,
    lane: string | undefined,
    attempts: number,
    nowMs: number,
    refusedMinutes = 0,
  ) {
    this.offset = received.offset;
    this.timestampMs = received.timestampMs;
    this.bytes = received.bytes;
    this.key = received.key;
    this.origin = received.origin;
    this.record = received.record;
    this.partition = partition;
    this.lane = lane;
    this.receivedMs = nowMs;
    this.#attemptsCounted = attempts;
    this.#attemptsSent = attempts;
    this.#failures = attempts;
    this.#hasFailed = attempts > 0;
    if (refusedMinutes > 0) this.#refusedSinceMs = nowMs - refusedMinutes * 60_000;
    this.entry = partition.ledger.receive(received.offset, this);
  }

  get state(): DeliveryState {
    return this.#state;
  }

  /** Attempts that counted against it. */
  get attemptsCounted(): number {
    return this.#attemptsCounted;
  }

  /** POSTs made of it, counted or not. */
  get attemptsSent(): number {
    return this.#attemptsSent;
  }

  /** Failures in a row, counted or not: what the backoff grows with. */
  get failures(): number {
    return this.#failures;
  }

  /** What its last attempt came to. */
  get lastOutcome(): Outcome | undefined {
    return this.#lastOutcome;
  }

  /** It failed before, here or with an earlier owner, in a way that may be its own fault. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** When an attempt last counted against it, in ms. */
  get lastCountedMs(): number | undefined {
    return this.#lastCountedMs;
  }

  /** Since when it has been answered "later" and nothing else, in ms. */
  get refusedSinceMs(): number | undefined {
    return this.#refusedSinceMs;
  }

  /** When it was last answered "later", in ms. */
  get lastRefusedMs(): number | undefined {
    return this.#lastRefusedMs;
  }

  /** When it was sent for the first time, in ms. */
  get sentMs(): number | undefined {
    return this.#sentMs;
  }

  /** An operator wants it dead-lettered as soon as can be. */
  get takenByOperator(): boolean {
    return this.#takenByOperator;
  }

  /** Why it is dead-lettered, once it is. */
  get reason(): DeadLetterReason | undefined {
    return this.#reason;
  }

  /** What it is parked behind. */
  get parkedBehind(): ParkedBehind | undefined {
    return this.#parkedBehind;
  }

  /** An attempt leaves. */
  start(nowMs: number): void {
    this.#become("in_flight");
    this.#sentMs ??= nowMs;
    this.#attemptsSent += 1;
  }

  /** It may be sent again. */
  makeReady(): void {
    this.#become("ready");
  }

  /** It waits for its retry. */
  wait(): void {
    this.#become("waiting");
  }

  /** Its attempt failed, and whose fault that was is asked. */
  suspect(): void {
    this.#become("judging");
  }

  /** It is to be dead-lettered. */
  deadLetter(reason: DeadLetterReason): void {
    this.#become("dead_lettering");
    this.#reason = reason;
  }

  /** A worker or the dead-letter topic has it. */
  settle(): void {
    this.#become("settled");
  }

  /** Its partition went. */
  drop(): void {
    this.#become("dropped");
  }

  recordOutcome(outcome: Outcome): void {
    this.#lastOutcome = outcome;
  }

  /** A failure, of an attempt or of writing its dead letter: the next wait is longer. */
  recordFailure(): void {
    this.#failures += 1;
  }

  /** Its attempt failed in a way that the verdict judges. */
  recordJudgedFailure(): void {
    this.#hasFailed = true;
    this.#refusedSinceMs = undefined;
  }

  /** It was answered "later": 409, 425 or 429. */
  recordRefusal(nowMs: number): void {
    this.#refusedSinceMs ??= nowMs;
    this.#lastRefusedMs = nowMs;
  }

  /** The attempt counts against it. An earlier owner may have counted all of them and not come to the dead letter. */
  countAttempt(attemptsMax: number, nowMs: number): void {
    this.#hasFailed = true;
    this.#lastCountedMs = nowMs;
    this.#attemptsCounted = Math.min(this.#attemptsCounted + 1, attemptsMax);
  }

  takeByOperator(): void {
    this.#takenByOperator = true;
  }

  parkBehind(first: ParkedBehind): void {
    this.#parkedBehind = first;
  }

  #become(next: DeliveryState): void {
    if (!TRANSITIONS[this.#state].includes(next)) {
      throw new Error(`A delivery cannot become ${next} as it is ${this.#state}: offset ${this.offset}`);
    }
    this.#state = next;
  }
}
