// Records that failed: how long each waits, how often it may, and when it is given to the dead letters.

import type { Answer, Outcome } from "../../shared/contract/outcome.ts";
import { ruleFor } from "../../shared/contract/status_contract.ts";
import { backoffMs } from "./policies/backoff.ts";
import type { Commits } from "./commits.ts";
import type { DeadLetterQueue } from "./dead_letter_queue.ts";
import type { Delivery } from "./delivery.ts";
import { DueQueue } from "./structures/due_queue.ts";
import type { Outbox } from "./outbox.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { MachineConfig } from "./config.ts";

/** A record that met full replicas twice in a row waits a random time up to this, in ms. */
const FULL_AGAIN_MAX_MS = 1000;

/** The records that wait for their retry. */
export class RetrySchedule<R> {
  readonly #config: MachineConfig;
  readonly #random: () => number;
  readonly #dispatcher: Dispatcher<R>;
  readonly #deadLetters: DeadLetterQueue<R>;
  readonly #commits: Commits<R>;
  readonly #outbox: Outbox<R>;
  readonly #waiting: DueQueue<Delivery<R>> = new DueQueue();

  constructor(
    config: MachineConfig,
    random: () => number,
    sending: Dispatcher<R>,
    deadLetters: DeadLetterQueue<R>,
    commits: Commits<R>,
    outbox: Outbox<R>,
  ) {
    this.#config = config;
    this.#random = random;
    this.#dispatcher = sending;
    this.#deadLetters = deadLetters;
    this.#commits = commits;
    this.#outbox = outbox;
  }

  /** Records that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** When the first of them is due, in ms. */
  get nextMs(): number | undefined {
    return this.#waiting.nextMs;
  }

  /** Those that are due are ready again. */
  wake(nowMs: number): void {
    for (let due = this.#waiting.takeDue(nowMs); due !== undefined; due = this.#waiting.takeDue(nowMs)) {
      if (due.state === "waiting") this.#dispatcher.requeue(due);
    }
  }

  /**
   * The pool rests a full replica or shrinks its limit, so a permit that is left is another replica's and the record
   * goes to it at once. When that one is full too, the record waits a little: nothing may spin.
   *
   * @param before what the attempt before came to.
   */
  elsewhere(delivery: Delivery<R>, before: Outcome | undefined, nowMs: number): void {
    const again = before !== undefined && ruleFor(before).slows === "replica";
    const waitMs = again ? Math.max(1, Math.round(this.#random() * FULL_AGAIN_MAX_MS)) : 0;
    this.#retry(delivery, waitMs, false, nowMs);
  }

  /** Nothing speaks against the record: it is retried as the worker asked, or with backoff. */
  uncounted(delivery: Delivery<R>, nowMs: number): void {
    delivery.recordFailure();
    this.#retry(delivery, this.#waitMs(delivery), false, nowMs);
  }

  /** The breaker paces everything now; the record itself waits only where the worker asked for it. */
  inOutage(delivery: Delivery<R>, nowMs: number): void {
    this.#retry(delivery, this.#askedMs(delivery) ?? 0, false, nowMs);
  }

  /** The attempt counts against the record. */
  count(delivery: Delivery<R>, nowMs: number): void {
    const { maxAttempts } = this.#config;
    delivery.countAttempt(maxAttempts);
    delivery.recordFailure();
    this.#commits.markDirty(delivery.partition, nowMs);
    if (delivery.attemptsCounted < maxAttempts) {
      return this.#retry(delivery, this.#waitMs(delivery), true, nowMs);
    }
    const missing = delivery.lastOutcome !== undefined &&
      ruleFor(delivery.lastOutcome).name === "ticket-not-found";
    this.#deadLetters.enqueue(delivery, missing ? "ticket-not-found" : "attempts-exhausted");
  }

  #retry(delivery: Delivery<R>, waitMs: number, counted: boolean, nowMs: number): void {
    this.#outbox.notice({ kind: "retrying", delivery, waitMs, counted });
    if (waitMs === 0) return this.#dispatcher.requeue(delivery);
    delivery.wait();
    this.#waiting.push(nowMs + waitMs, delivery);
  }

  /** `Retry-After` where the worker gave one, else backoff. "At once" is no wait to ask for: it would spin. */
  #waitMs(delivery: Delivery<R>): number {
    const asked = this.#askedMs(delivery) ?? 0;
    return asked > 0 ? asked : backoffMs(this.#config.backoff, delivery.failures, this.#random);
  }

  #askedMs({ lastOutcome }: Delivery<R>): number | undefined {
    const asked = (lastOutcome as Partial<Answer> | undefined)?.retryAfterMs;
    return asked === undefined ? undefined : Math.min(asked, this.#config.retryAfterMaxMs);
  }
}
