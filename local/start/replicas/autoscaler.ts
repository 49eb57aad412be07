// The number of replicas `start` runs: one at once from none, more by need, fewer after idle time. Pure.

import type { Demand } from "./demand.ts";

/** What the environment says. */
export interface AutoscalerBounds {
  readonly min: number;
  readonly max: number;
  /** A replica is stopped when it was not needed for this time, in ms. */
  readonly idleMs: number;
  /** Attempts that one replica takes at once. */
  readonly permitsPerReplica: number;
}

/** The wanted number of replicas, and in a few words why it changed. */
export interface Decision {
  readonly wanted: number;
  readonly why: string;
}

/** Time for which more than one replica must be needed, in ms: the first measurements may be far from the average. */
const UP_AFTER_MS = 1000;
/** Pause between two steps down, in ms, so that an end of work is not one line a replica. */
const DOWN_EVERY_MS = 10_000;

/**
 * Decides how many replicas `start` runs: one at once from none, more by need, fewer after idle time.
 * Time comes in, and never runs backwards.
 */
export class Autoscaler {
  readonly #bounds: AutoscalerBounds;
  /** What was needed in the last `idleMs`: times rise, needs fall. */
  #needs: { readonly atMs: number; readonly replicas: number }[] = [];
  #wanted = 0;
  #aboveSinceMs: number | undefined;
  #downMs = -Infinity;

  constructor(bounds: AutoscalerBounds) {
    this.#bounds = bounds;
  }

  /** How many replicas there should be from now on. */
  decide(demand: Demand, nowMs: number): Decision {
    const need = this.#needed(demand);
    this.#remember(need, nowMs);
    this.#aboveSinceMs = need > this.#wanted ? this.#aboveSinceMs ?? nowMs : undefined;
    if (this.#aboveSinceMs !== undefined) return this.#up(need, demand, nowMs, this.#aboveSinceMs);
    return this.#down(this.#needs[0]?.replicas ?? need, nowMs);
  }

  #up(need: number, demand: Demand, nowMs: number, sinceMs: number): Decision {
    const { min } = this.#bounds;
    const before = this.#wanted;
    if (before < min || before === 0) this.#wanted = Math.max(1, min);
    else if (nowMs - sinceMs >= UP_AFTER_MS) this.#wanted = need;
    if (before < min) return { wanted: this.#wanted, why: `WORKER_MIN is ${min}` };
    const backlog = demand.records?.backlog ?? 0;
    if (backlog === 0) return { wanted: this.#wanted, why: "ad-hoc call" };
    return { wanted: this.#wanted, why: before === 0 ? "first record" : `backlog ${backlog}` };
  }

  #down(highest: number, nowMs: number): Decision {
    const { idleMs } = this.#bounds;
    if (highest < this.#wanted && nowMs - this.#downMs >= Math.min(DOWN_EVERY_MS, idleMs)) {
      this.#wanted = highest;
      this.#downMs = nowMs;
    }
    return { wanted: this.#wanted, why: `not needed for ${idleMs / 1000} s` };
  }

  #needed({ records, calls, worked }: Demand): number {
    const { min, max, permitsPerReplica } = this.#bounds;
    // Where the consumer does not answer, nothing is stopped on a guess.
    const forRecords = records === undefined
      ? this.#wanted
      : records.backlog + records.busyPermits === 0
      ? 0
      : Math.max(1, records.wantedReplicas);
    const forCalls = calls === undefined
      ? 0
      : Math.ceil((calls.waiting + calls.inFlight) / permitsPerReplica);
    return Math.min(max, Math.max(min, forRecords, forCalls, worked ? 1 : 0));
  }

  #remember(replicas: number, nowMs: number): void {
    this.#needs = this.#needs.filter((each) =>
      each.replicas > replicas && nowMs - each.atMs < this.#bounds.idleMs
    );
    this.#needs.push({ atMs: nowMs, replicas });
  }
}
