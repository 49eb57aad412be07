// Which replica gets the next attempt, and how many the pool takes at once. Pure: time and randomness come in.

import type { Outcome } from "../outcome.ts";
import { ruleFor } from "../status_contract.ts";
import { Replica } from "./replica.ts";

/** A pool that was told to slow down slows down once in this time, in ms, however many answers say so. */
const SLOW_DOWN_EVERY_MS = 1000;

/** The replicas and their permits. */
export class Balancer {
  readonly #limitMax: number;
  readonly #random: () => number;
  readonly #replicas: Map<string, Replica> = new Map();
  /** Attempts at once for the whole pool: what the provider behind all replicas bears. */
  #poolLimit = Infinity;
  #slowedMs = -Infinity;

  constructor(limitMax: number, random: () => number) {
    this.#limitMax = limitMax;
    this.#random = random;
  }

  /** All replicas, those that leave included while they have attempts in flight. */
  get replicas(): readonly Replica[] {
    return [...this.#replicas.values()];
  }

  /** Attempts on their way. */
  get inFlight(): number {
    let sum = 0;
    for (const replica of this.#replicas.values()) sum += replica.inFlight;
    return sum;
  }

  /** How many attempts may be in flight at once now. */
  permits(nowMs: number): number {
    let sum = 0;
    for (const replica of this.#replicas.values()) sum += replica.permits(nowMs);
    return Math.min(sum, Math.max(1, Math.floor(this.#poolLimit)));
  }

  /** When permits may change by time alone, in ms: a replica has rested. */
  nextChangeMs(nowMs: number): number | undefined {
    let nextMs = Infinity;
    for (const { restUntilMs } of this.#replicas.values()) {
      if (restUntilMs > nowMs) nextMs = Math.min(nextMs, restUntilMs);
    }
    return nextMs === Infinity ? undefined : nextMs;
  }

  /** The addresses there are now. One that left gets nothing new, but its attempts in flight are finished. */
  setAddresses(addresses: readonly string[]): void {
    for (const replica of this.#replicas.values()) replica.setLeaving(!addresses.includes(replica.address));
    for (const address of addresses) {
      if (!this.#replicas.has(address)) this.#replicas.set(address, new Replica(address, this.#limitMax));
    }
    this.#forgetGone();
  }

  /** The free replica for the next attempt: the less busy of two picked at random; undefined when all are busy. */
  pick(nowMs: number): Replica | undefined {
    const free: Replica[] = [];
    for (const replica of this.#replicas.values()) if (replica.isFree(nowMs)) free.push(replica);
    const first = free[Math.floor(this.#random() * free.length)];
    const second = free[Math.floor(this.#random() * free.length)];
    if (first === undefined || second === undefined) return first;
    return second.inFlight / second.limit < first.inFlight / first.limit ? second : first;
  }

  /** An attempt came back. */
  recordFinished(replica: Replica, outcome: Outcome, latencyMs: number, nowMs: number): void {
    replica.recordFinished(outcome, latencyMs, () => this.#othersWork(replica, nowMs), nowMs);
    const rule = ruleFor(outcome);
    if (rule.slows === "pool") this.#slowDown(nowMs);
    else if (rule.disposition === "settle") this.#speedUp();
    this.#forgetGone();
  }

  /** An attempt was given up by ourselves. */
  recordAbandoned(replica: Replica): void {
    replica.recordAbandoned();
    this.#forgetGone();
  }

  #othersWork(replica: Replica, nowMs: number): boolean {
    return this.replicas.some((other) => other !== replica && other.permits(nowMs) > 0);
  }

  #slowDown(nowMs: number): void {
    if (nowMs - this.#slowedMs < SLOW_DOWN_EVERY_MS) return;
    this.#slowedMs = nowMs;
    this.#poolLimit = Math.max(1, Math.min(this.#poolLimit, this.inFlight + 1) * 0.7);
  }

  #speedUp(): void {
    if (this.#poolLimit === Infinity) return;
    this.#poolLimit += 1 / this.#poolLimit;
    if (this.#poolLimit > this.#limitMax * this.#replicas.size) this.#poolLimit = Infinity;
  }

  #forgetGone(): void {
    for (const replica of this.#replicas.values()) {
      if (replica.leaving && replica.inFlight === 0) this.#replicas.delete(replica.address);
    }
  }
}
