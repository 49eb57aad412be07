// DeadLetterQueue: records on their way to the dead-letter topic. Each waits for a token, then for the broker.

import { type Answer, type Outcome, outcomeLabel } from "../../shared/contract/outcome.ts";
import type { Assignment } from "./assignment.ts";
import { backoffMs } from "./policies/backoff.ts";
import { DeadLetterBudget, type DeadLetterBudgetConfig } from "./policies/dead_letter_budget.ts";
import type { DeadLetterReason, Delivery } from "./delivery.ts";
import { DueQueue } from "./structures/due_queue.ts";
import { RingQueue } from "./structures/ring_queue.ts";

/** Waits between tries to write a dead letter, in ms. */
const WRITE_BACKOFF = { firstMs: 500, maxMs: 15_000 };

/** So many of those that wait are looked at for what they have in common. */
const COMMON_SAMPLE = 200;

/** What most of the records that wait for a token failed with. */
export interface CommonFailure {
  readonly outcome: Outcome | undefined;
  readonly count: number;
}

/** Records that wait to be written to the dead-letter topic. */
export class DeadLetterQueue<R> {
  readonly #budget: DeadLetterBudget;
  readonly #assignment: Assignment<R>;
  readonly #random: () => number;
  readonly #waiting: RingQueue<Delivery<R>> = new RingQueue();
  /** They cost no token. */
  readonly #free: RingQueue<Delivery<R>> = new RingQueue();
  readonly #unwritten: DueQueue<Delivery<R>> = new DueQueue();
  #floodSinceMs: number | undefined;
  #failingSinceMs: number | undefined;
  #writing = 0;

  constructor(
    config: DeadLetterBudgetConfig,
    assignment: Assignment<R>,
    random: () => number,
    nowMs: number,
  ) {
    this.#assignment = assignment;
    this.#budget = new DeadLetterBudget(config, nowMs);
    this.#random = random;
  }

  /** Whether anything waits to be written, or is known to hold that up. */
  get busy(): boolean {
    const { length } = this.#waiting;
    return length + this.#free.length + this.#unwritten.length > 0 || this.#floodSinceMs !== undefined ||
      this.#failingSinceMs !== undefined;
  }

  /** Since when records wait for a token, in ms. */
  get floodSinceMs(): number | undefined {
    return this.#floodSinceMs;
  }

  /** Since when the dead-letter topic cannot be written, in ms. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs;
  }

  /** Records that wait for a token. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** What most of those that wait for a token failed with, of the first two hundred; undefined where none waits. */
  commonFailure(): CommonFailure | undefined {
    const found = new Map<string, { outcome: Outcome | undefined; count: number }>();
    let most: CommonFailure | undefined;
    for (let at = 0; at < Math.min(COMMON_SAMPLE, this.#waiting.length); at++) {
      const outcome = this.#waiting.at(at)?.lastOutcome;
      const kind = JSON.stringify([
        outcome && outcomeLabel(outcome),
        (outcome as Partial<Answer> | undefined)?.problemType,
      ]);
      const each = found.get(kind) ?? { outcome, count: 0 };
      each.count += 1;
      found.set(kind, each);
      if (each.count > (most?.count ?? 0)) most = each;
    }
    return most;
  }

  /** Records whose write is on its way to the broker. */
  get writing(): number {
    return this.#writing;
  }

  /** Tokens at hand. */
  tokens(nowMs: number): number {
    return this.#budget.tokens(nowMs);
  }

  /** Whether a success is worth anything. */
  get earns(): boolean {
    return !this.#budget.full;
  }

  /** A worker settled a record. */
  recordSucceeded(): void {
    this.#budget.recordSucceeded();
  }

  /** An operator lets `count` more through. */
  allow(count: number): void {
    this.#budget.allow(count);
  }

  /** A record is to be dead-lettered. */
  enqueue(delivery: Delivery<R>, reason: DeadLetterReason): void {
    delivery.deadLetter(reason);
    this.#assignment.setAside(delivery);
    this.#waiting.push(delivery);
  }

  /** A record is to be dead-lettered that need not be paid for. */
  enqueueWithoutToken(delivery: Delivery<R>, reason: DeadLetterReason): void {
    delivery.deadLetter(reason);
    this.#assignment.setAside(delivery);
    // It may never have been sent, but from now on the offset map may have to name it.
    delivery.partition.ledger.markStarted(delivery.entry);
    this.#free.push(delivery);
  }

  /** A record that waits for a token needs none any more. */
  waiveToken(delivery: Delivery<R>): void {
    for (let left = this.#waiting.length; left > 0; left--) {
      const waiting = this.#waiting.shift();
      if (waiting === delivery) this.#free.push(delivery);
      else if (waiting !== undefined) this.#waiting.push(waiting);
    }
  }

  /** A partition went: its records wait no more. */
  removeDropped(): void {
    for (let left = this.#waiting.length; left > 0; left--) {
      const delivery = this.#waiting.shift();
      if (delivery !== undefined && delivery.state !== "dropped") this.#waiting.push(delivery);
    }
    this.#unwritten.retain(({ state }) => state !== "dropped");
  }

  /** The broker confirmed. */
  recordWritten(): void {
    this.#writing -= 1;
    this.#failingSinceMs = undefined;
  }

  /** The broker did not confirm: the record waits, its token stays paid. */
  recordFailed(delivery: Delivery<R>, nowMs: number): void {
    this.#writing -= 1;
    this.#failingSinceMs ??= nowMs;
    delivery.recordFailure();
    this.#unwritten.push(nowMs + backoffMs(WRITE_BACKOFF, delivery.failures, this.#random), delivery);
  }

  /** The next record to write now; undefined when none may be. */
  nextToWrite(nowMs: number): Delivery<R> | undefined {
    const delivery = this.#takeLive(() => this.#unwritten.takeDue(nowMs)) ??
      this.#takeLive(() => this.#free.shift()) ?? this.#takePaid(nowMs);
    if (delivery !== undefined) this.#writing += 1;
    // The records that could not be written went with their partition: the topic is not known to fail any more.
    else if (this.#writing === 0 && this.#unwritten.length === 0) this.#failingSinceMs = undefined;
    return delivery;
  }

  /** When there may be something to write again, in ms. */
  nextMs(nowMs: number): number | undefined {
    const tokenMs = this.#waiting.length > 0 ? this.#budget.nextMs(nowMs) : Infinity;
    const least = Math.min(tokenMs, this.#unwritten.nextMs ?? Infinity);
    return least === Infinity ? undefined : least;
  }

  #takePaid(nowMs: number): Delivery<R> | undefined {
    if (this.#waiting.length === 0) {
      this.#floodSinceMs = undefined;
      return undefined;
    }
    if (!this.#budget.take(nowMs)) {
      this.#floodSinceMs ??= nowMs;
      return undefined;
    }
    return this.#waiting.shift();
  }

  #takeLive(take: () => Delivery<R> | undefined): Delivery<R> | undefined {
    for (let delivery = take(); delivery !== undefined; delivery = take()) {
      if (delivery.state !== "dropped") return delivery;
    }
    return undefined;
  }
}
