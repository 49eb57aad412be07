// One replica as the balancer sees it: how much it takes, how much it has, and whether it may get more.

import type { Outcome } from "../outcome.ts";
import { ruleFor } from "../status_contract.ts";

/** Failures in a row after which a replica is left alone. */
export const FAILURES_MAX = 3;

/** A replica: an address and a concurrency limit of its own. */
export class Replica {
  /** Base URL, with the address in place of the name. */
  readonly address: string;
  readonly #limitMax: number;
  #limit: number;
  #inFlight = 0;
  #failures = 0;
  #restUntilMs = 0;
  #ejected = false;
  #leaving = false;
  #latencyMs = 0;

  constructor(address: string, limitMax: number) {
    this.address = address;
    this.#limitMax = limitMax;
    this.#limit = limitMax;
  }

  /** Attempts on their way to it. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Attempts it takes at once, as learned. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Average time of an answer, in ms; the latest ones weigh most. */
  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** It failed too often and gets nothing until its health check comes back. */
  get ejected(): boolean {
    return this.#ejected;
  }

  /** Its address left the list: nothing new, but what is in flight is finished. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** Until when it rests, in ms; in the past when it does not. */
  get restUntilMs(): number {
    return this.#restUntilMs;
  }

  /** Permits it stands for now, those in use included. */
  permits(nowMs: number): number {
    return this.#usable(nowMs) ? this.limit : 0;
  }

  /** Whether it takes another attempt now. */
  isFree(nowMs: number): boolean {
    return this.#usable(nowMs) && this.#inFlight < this.limit;
  }

  /** An attempt leaves for it. */
  recordStarted(): void {
    this.#inFlight += 1;
  }

  /** An attempt was given up by ourselves: it says nothing about the replica. */
  recordAbandoned(): void {
    this.#inFlight -= 1;
  }

  /** An attempt came back. `othersWork` says whether other replicas are fine, so that this one stands out. */
  recordFinished(outcome: Outcome, latencyMs: number, othersWork: () => boolean, nowMs: number): void {
    this.#inFlight -= 1;
    if (outcome.kind !== "answer") return this.#failed(() => true);
    const rule = ruleFor(outcome);
    if (rule.slows === "replica") return this.#full(outcome.retryAfterMs ?? 1000, nowMs);
    // One that alone refuses how it is called (a token that is rotated, say) stands out as one that fails does.
    if (outcome.status >= 500 || rule.disposition === "pause") return this.#failed(othersWork);
    this.#failures = 0;
    this.#latencyMs += (latencyMs - this.#latencyMs) * (this.#latencyMs === 0 ? 1 : 0.1);
    // One more permit for every round of successes: additive increase.
    this.#limit = Math.min(this.#limitMax, this.#limit + 1 / this.#limit);
  }

  /** Its health check answers again: it comes back with one permit and grows from there. */
  readmit(): void {
    this.#ejected = false;
    // On probation: a success clears it, one more failure ejects it again.
    this.#failures = FAILURES_MAX - 1;
    this.#limit = 1;
  }

  /** Its address left the list, or came back to it. */
  setLeaving(leaving: boolean): void {
    this.#leaving = leaving;
  }

  #usable(nowMs: number): boolean {
    return !this.#leaving && !this.#ejected && nowMs >= this.#restUntilMs;
  }

  /** Full with others' work it keeps what it holds; full while idle it is left alone for as long as it says. */
  #full(retryAfterMs: number, nowMs: number): void {
    if (this.#inFlight > 0) this.#limit = Math.max(1, Math.min(this.#limit, this.#inFlight));
    else this.#restUntilMs = nowMs + retryAfterMs;
  }

  #failed(standsOut: () => boolean): void {
    this.#failures += 1;
    if (this.#failures >= FAILURES_MAX && standsOut()) this.#ejected = true;
  }
}
