// The choice of the replica for the next attempt, and how many the pool takes at once. Pure: time and randomness come in.

import type { Outcome } from "../../contract/outcome.ts";
import { RETRY_AFTER_MAX_MS } from "../../contract/retry_after.ts";
import { type Rule, ruleFor } from "../../contract/status_contract.ts";
import { isOutlier } from "./outliers.ts";
import { ProviderLimit } from "../limits/provider_limit.ts";
import type { AttemptDetails, AttemptInFlight } from "../attempt_in_flight.ts";
import { RepeatedResets } from "./repeated_resets.ts";
import { Replica } from "./replica.ts";

/** Others work if one of them settled something in this time, in ms. */
const WORKING_MS = 60_000;
/** A replica fails in a row by chance this seldom before it is ejected. */
const ROW_CHANCE = 1e-4;
/** Share of the latest answer in the latency that replicas are held against. */
const LATENCY_WEIGHT = 0.01;

/** What may be set about a balancer. */
export interface BalancerRules {
  /** Longest `Retry-After` that is honoured, in ms. */
  readonly retryAfterMaxMs: number;
}

/** The pool's permits at one moment. */
export interface Survey {
  /** How many attempts may be in flight at once. */
  readonly permits: number;
  /** How many the replicas take, whatever the provider bears. */
  readonly replicaPermits: number;
  /** When either may change by time alone, in ms. */
  readonly nextChangeMs: number | undefined;
}

const RULES: BalancerRules = { retryAfterMaxMs: RETRY_AFTER_MAX_MS };

/** The replicas and their permits. */
export class Balancer {
  readonly #limitMax: number;
  readonly #random: () => number;
  readonly #replicas: Map<string, Replica> = new Map();
  /** What the provider behind all replicas bears. */
  readonly provider: ProviderLimit;
  readonly #resets = new RepeatedResets();
  #logLatency: number | undefined;

  constructor(limitMax: number, random: () => number, { retryAfterMaxMs }: BalancerRules = RULES) {
    this.#limitMax = limitMax;
    this.#random = random;
    this.provider = new ProviderLimit(retryAfterMaxMs);
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

  /**
   * How many attempts may be in flight at once now: those that are, and one for every free permit. So what a replica
   * still holds that hangs, leaves or has shrunk takes nothing from the others.
   */
  permits(nowMs: number): number {
    return this.survey(nowMs).permits;
  }

  /** How many attempts the replicas take at once now, whatever the provider bears. */
  replicaPermits(nowMs: number): number {
    let sum = 0;
    for (const replica of this.#replicas.values()) sum += replica.permits(nowMs);
    return sum;
  }

  /** When permits may change by time alone, in ms: a replica has rested, the provider takes another one. */
  nextChangeMs(nowMs: number): number | undefined {
    return this.survey(nowMs).nextChangeMs;
  }

  /** Everything that is asked about permits after an attempt, in one walk. */
  survey(nowMs: number): Survey {
    let [usable, free, inFlight] = [0, 0, 0];
    let nextMs = this.provider.nextChangeMs(nowMs) ?? Infinity;
    for (const replica of this.#replicas.values()) {
      const permits = replica.permits(nowMs);
      usable += permits;
      free += Math.max(0, permits - replica.inFlight);
      inFlight += replica.inFlight;
      nextMs = Math.min(nextMs, replica.nextChangeMs(nowMs) ?? Infinity);
    }
    return {
      permits: this.provider.permits(usable === 0 ? 0 : inFlight + free, inFlight, nowMs),
      replicaPermits: usable,
      nextChangeMs: nextMs === Infinity ? undefined : nextMs,
    };
  }

  /**
   * The addresses there are now. One that left gets nothing new, but its attempts in flight are finished; one that
   * joins others that work begins with few.
   */
  setAddresses(addresses: readonly string[], nowMs: number): void {
    const working = this.replicaPermits(nowMs) > 0;
    for (const replica of this.#replicas.values()) replica.setLeaving(!addresses.includes(replica.address));
    for (const address of addresses) {
      if (this.#replicas.has(address)) continue;
      const replica = new Replica(address, this.#limitMax, nowMs);
      if (working) replica.startSlowly(nowMs);
      this.#replicas.set(address, replica);
    }
    this.#forgetGone();
  }

  /**
   * The free replica for the next attempt: of two picked at random the one that is less busy for how quick it is.
   * Undefined when all are busy.
   *
   * @param except never this one.
   */
  pick(nowMs: number, except?: Replica): Replica | undefined {
    const free: Replica[] = [];
    for (const replica of this.#replicas.values()) {
      if (replica !== except && replica.isFree(nowMs)) free.push(replica);
    }
    const first = free[Math.floor(this.#random() * free.length)];
    const second = free[Math.floor(this.#random() * free.length)];
    if (first === second || first === undefined || second === undefined) return first;
    return this.#load(second, nowMs) < this.#load(first, nowMs) ? second : first;
  }

  /** The least busy replica that is neither ejected nor about to go, for an attempt that cannot wait. */
  leastBusy(): Replica | undefined {
    const usable = this.replicas.filter(({ leaving, ejected, draining }) =>
      !leaving && !ejected && !draining
    );
    return usable.sort((a, b) => a.inFlight - b.inFlight)[0];
  }

  /** Whether the last attempt of this record was reset. */
  wasReset(key: string): boolean {
    return this.#resets.has(key);
  }

  /** An attempt leaves for a replica. */
  start(replica: Replica, nowMs: number, key?: string): AttemptInFlight {
    replica.recordStarted();
    return { replica, number: this.provider.start(nowMs), level: this.inFlight, sentMs: nowMs, key };
  }

  /** An attempt came back. */
  recordFinished(
    sent: AttemptInFlight,
    outcome: Outcome,
    nowMs: number,
    { report, latencyMs }: AttemptDetails = {},
  ): void {
    const { replica, sentMs } = sent;
    const tookMs = latencyMs ?? nowMs - sentMs;
    const [inFlight, rule] = [this.inFlight, ruleFor(outcome)];
    const settled = rule.disposition === "settle";
    const reset = outcome.kind === "reset";
    const ownReset = (reset || this.#resets.any) && this.#resets.record(sent.key, reset);
    const failed = replica.recordFinished({
      outcome,
      rule,
      ownReset,
      sentMs,
      tookMs,
      nowMs,
      standsOut: (row) => this.#othersSucceed(replica, nowMs) && row >= this.#unlikelyRow(replica, nowMs),
    });
    this.#keepPace(replica, rule, tookMs, nowMs);
    if (rule.slows === "pool") this.provider.recordRefused(outcome, sent, inFlight - 1, report, nowMs);
    else if (report !== undefined) this.provider.recordReport(report, sent, nowMs);
    if (rule.slows !== "pool" && (settled || maySayOfProvider(outcome, rule))) {
      const max = this.replicaPermits(nowMs);
      this.provider.recordFinished({ settled, sent, tookMs, inFlight, max, nowMs });
    }
    if (failed && replica.ejection === undefined) this.#ejectOutlier(replica, nowMs);
    this.#forgetGone();
  }

  /** An attempt was given up by ourselves. */
  recordAbandoned({ replica }: AttemptInFlight): void {
    replica.recordAbandoned();
    this.#forgetGone();
  }

  /** How busy it would be with one more, weighted by its latency: a quick replica with many may still be done first. */
  #load(replica: Replica, nowMs: number): number {
    const usualMs = this.#logLatency === undefined ? 1 : Math.exp(this.#logLatency);
    return (replica.inFlight + 1) / replica.limit(nowMs) * (replica.latencyMs || usualMs);
  }

  #othersSucceed(replica: Replica, nowMs: number): boolean {
    return this.replicas.some((other) =>
      other !== replica && other.permits(nowMs) > 0 && other.hasSettledSince(nowMs - WORKING_MS)
    );
  }

  /** Failures in a row that are no chance: where others fail now and then, too, for bad records say, it takes more. */
  #unlikelyRow(replica: Replica, nowMs: number): number {
    const shares = this.replicas.filter((other) => other !== replica && !other.ejected)
      .map((other) => other.failureCounts(nowMs)).filter(({ attempts }) => attempts > 0)
      .map(({ attempts, failures }) => failures / attempts);
    const share = shares.reduce((sum, each) => sum + each, 0) / Math.max(1, shares.length);
    return share < 1 ? Math.log(ROW_CHANCE) / Math.log(share) : Infinity;
  }

  /** Compares a replica's latency with everybody's: what all share is the provider's, only the rest is its own. */
  #keepPace(replica: Replica, rule: Rule, tookMs: number, nowMs: number): void {
    const settled = rule.disposition === "settle";
    const usualMs = Math.exp(this.#logLatency ?? Math.log(Math.max(1, tookMs)));
    if (settled) {
      const log = Math.log(Math.max(1, tookMs));
      this.#logLatency = (this.#logLatency ?? log) + (log - (this.#logLatency ?? log)) * LATENCY_WEIGHT;
    }
    if (this.#replicas.size > 1) replica.recordPace(settled, 1000 * tookMs / usualMs, nowMs);
  }

  /** Never more than half of the pool for the share of failures alone: then it is the pool that fails. */
  #ejectOutlier(replica: Replica, nowMs: number): void {
    const own = replica.failureCounts(nowMs);
    // Counting the others is dear, so it is done only if this one fails often.
    if (own.failures * 4 < own.attempts) return;
    const there = this.replicas.filter(({ leaving }) => !leaving);
    const out = there.filter(({ ejected }) => ejected).length;
    if ((out + 1) * 2 > there.length) return;
    let [attempts, failures] = [0, 0];
    for (const other of there) {
      if (other === replica || other.ejected) continue;
      const counts = other.failureCounts(nowMs);
      attempts += counts.attempts;
      failures += counts.failures;
    }
    if (isOutlier(own, { attempts, failures })) replica.eject("outlier");
  }

  #forgetGone(): void {
    for (const replica of this.#replicas.values()) {
      if (replica.leaving && replica.inFlight === 0) this.#replicas.delete(replica.address);
    }
  }
}

/** Not if nobody was reached, the replica was full, another one holds the ticket, or the record is bad. */
function maySayOfProvider({ kind }: Outcome, { counts }: Rule): boolean {
  return counts === "verdict" && kind !== "refused" && kind !== "reset";
}
