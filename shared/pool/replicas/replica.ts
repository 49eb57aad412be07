// A replica as the balancer sees it: its limit, its attempts in flight, and whether it gets more.

import type { Outcome } from "../../contract/outcome.ts";
import { DRAINING } from "../../contract/protocol.ts";
import type { Rule } from "../../contract/status_contract.ts";
import { ConcurrencyLimit } from "../limits/concurrency_limit.ts";
import { GoodputSearch } from "../limits/goodput_search.ts";
import { RecentAttempts } from "../limits/recent_attempts.ts";
import type { Complaint } from "./complaints.ts";
import { OUTLIER } from "./outliers.ts";
import { SlowStart } from "./slow_start.ts";

/** Failures in a row after which a replica is left alone. */
export const FAILURES_MAX = 3;
/** A rest where no time is asked for, in ms. */
const REST_MS = 1000;
/** So many refusals in a row, each with fewer attempts in flight, mean that it is closing and not full. */
const REFUSED_BELOW_MAX = 2;
/** Share of its latest answer in a replica's latency: some thirty answers make it. */
const LATENCY_WEIGHT = 0.06;

/** Why a replica gets nothing new: it failed in a row, or more often than the others. */
export type Ejection = "failures-in-a-row" | "outlier";

/** What a replica's attempt came to, and how the others fare. */
export interface FinishedAttempt {
  readonly outcome: Outcome;
  readonly rule: Rule;
  /** It is a reset that this record meets wherever it goes: it says nothing about the replica. */
  readonly ownReset?: boolean;
  readonly sentMs: number;
  readonly tookMs: number;
  readonly nowMs: number;
  /** Whether others have gone on working, so that this one stands out with so many failures in a row. */
  readonly standsOut: (failuresInARow: number) => boolean;
}

/** A replica: an address and a concurrency limit of its own. */
export class Replica {
  /** Base URL, with the address in place of the name. */
  readonly address: string;
  readonly #limitMax: number;
  readonly #answers = new ConcurrencyLimit();
  readonly #slowStart: SlowStart;
  readonly #search: GoodputSearch;
  readonly #recent = new RecentAttempts(OUTLIER.windowMs);
  #inFlight = 0;
  #failures = 0;
  #settledMs = -Infinity;
  #fullMs = -Infinity;
  #held = Infinity;
  #refusedBelow = 0;
  #restUntilMs = 0;
  #restSinceMs = 0;
  #ejection: Ejection | undefined;
  #draining = false;
  #leaving = false;
  #last: Outcome | undefined;
  #complaints: readonly Complaint[] = [];
  #complainsSinceMs: number | undefined;
  #logLatency: number | undefined;
  /** The limit as last asked for: it holds until this time, in ms, or until an event may change it. */
  #limit = 0;
  #limitUntilMs = -Infinity;

  constructor(address: string, limitMax: number, nowMs = 0) {
    this.address = address;
    this.#limitMax = limitMax;
    this.#slowStart = new SlowStart(limitMax);
    this.#search = new GoodputSearch(nowMs, true);
  }

  /** Attempts on their way to it. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Attempts it takes at once, as learned. */
  limit(nowMs: number): number {
    if (nowMs >= this.#limitUntilMs) {
      const learned = Math.min(this.#limitMax, this.#answers.limit, this.#search.limit);
      this.#limit = this.#slowStart.active ? Math.min(this.#slowStart.limit(nowMs), learned) : learned;
      this.#limitUntilMs = this.#slowStart.active ? this.#slowStart.nextStepMs(nowMs) ?? Infinity : Infinity;
    }
    return this.#limit;
  }

  /** Why {@link limit} is what it is, for people. */
  limitedBy(nowMs: number): string {
    const limit = this.limit(nowMs);
    if (limit >= this.#limitMax) return "WORKER_CONCURRENCY";
    if (this.#slowStart.limit(nowMs) <= limit) return "it is new or came back, and begins with few";
    if (this.#answers.limit <= limit) return "it answered that it was full";
    return "more at once were no faster";
  }

  /** Average time of an answer that settled, in ms, as a geometric mean; the latest ones weigh most. 0 without any. */
  get latencyMs(): number {
    return this.#logLatency === undefined ? 0 : Math.exp(this.#logLatency);
  }

  /** It failed too often and gets nothing until its health check comes back. */
  get ejected(): boolean {
    return this.#ejection !== undefined;
  }

  /** Why it was ejected; undefined while it is not. */
  get ejection(): Ejection | undefined {
    return this.#ejection;
  }

  /** It is about to stop, or its `/readyz` says no: nothing new until that says yes. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Its address left the list: nothing new, but what is in flight is finished. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** Until when it rests, in ms; in the past when it does not. */
  get restUntilMs(): number {
    return this.#restUntilMs;
  }

  /** What its last attempt came to. */
  get last(): Outcome | undefined {
    return this.#last;
  }

  /** What its `/readyz` said was wrong when last asked; empty where it was ready, or was not asked. */
  get complaints(): readonly Complaint[] {
    return this.#complaints;
  }

  /** Since when it has said so, in ms; undefined while it does not. */
  get complainsSinceMs(): number | undefined {
    return this.#complainsSinceMs;
  }

  /** Attempts and failures of the last half minute. */
  failureCounts(nowMs: number): { readonly attempts: number; readonly failures: number } {
    return this.#recent.counts(nowMs);
  }

  /** Whether it went well the last time, and not before `sinceMs`. */
  hasSettledSince(sinceMs: number): boolean {
    return this.#failures === 0 && this.#settledMs >= sinceMs;
  }

  /** Permits it stands for now, those in use included. */
  permits(nowMs: number): number {
    return this.#usable(nowMs) ? this.limit(nowMs) : 0;
  }

  /** Whether it takes another attempt now. */
  isFree(nowMs: number): boolean {
    return this.#usable(nowMs) && this.#inFlight < this.limit(nowMs);
  }

  /** When its permits may change by time alone, in ms. */
  nextChangeMs(nowMs: number): number | undefined {
    if (this.#restUntilMs > nowMs) return this.#restUntilMs;
    return this.#slowStart.active ? this.#slowStart.nextStepMs(nowMs) : undefined;
  }

  /** An attempt leaves for it. */
  recordStarted(): void {
    this.#inFlight += 1;
  }

  /** An attempt was given up by ourselves: it says nothing about the replica. */
  recordAbandoned(): void {
    this.#inFlight -= 1;
  }

  /** An attempt came back. Says whether it counts as a failure of this replica. */
  recordFinished(
    { outcome, rule, ownReset = false, sentMs, tookMs, nowMs, standsOut }: FinishedAttempt,
  ): boolean {
    this.#limitUntilMs = -Infinity;
    const before = this.#inFlight;
    this.#inFlight -= 1;
    this.#last = outcome;
    if (ownReset) return false;
    const unanswered = outcome.kind !== "answer";
    if (!unanswered && rule.slows === "replica") {
      this.#full(outcome, sentMs, nowMs);
      return false;
    }
    // Refused or reset is the replica's own failure. A timeout may be the provider's.
    const own = outcome.kind === "refused" || outcome.kind === "reset";
    // A replica that alone answers 401 (after a token was rotated, say) has failed as well.
    const failed = unanswered || outcome.status >= 500 || rule.disposition === "pause";
    this.#recent.record(failed, nowMs);
    if (failed) this.#failed(own, standsOut);
    else this.#failures = 0;
    if (!failed && rule.disposition === "settle") this.#settled(before, tookMs, sentMs, nowMs);
    return failed;
  }

  /**
   * How it fares against the others, which tells its own troubles from those all share.
   *
   * @param latencyMs of an attempt, as a multiple of what the others take.
   */
  recordPace(settled: boolean, latencyMs: number, nowMs: number): void {
    this.#limitUntilMs = -Infinity;
    this.#search.recordFinished(settled, latencyMs, this.#inFlight + 1, this.#limitMax, nowMs);
  }

  /** It fails more often than the others. */
  eject(why: Ejection): void {
    this.#ejection = why;
  }

  /** Its health check answers again: it comes back with one permit and grows from there. */
  readmit(): void {
    this.#limitUntilMs = -Infinity;
    this.#ejection = undefined;
    this.#draining = false;
    // On probation: a success clears it, one more failure ejects it again.
    this.#failures = FAILURES_MAX - 1;
    this.#recent.clear();
    this.#answers.forget();
    this.#slowStart.onProbation();
  }

  /** Its `/readyz`, asked at `askedMs`, said yes: a rest that began before is over, and it begins with few. */
  endRest(askedMs: number, nowMs: number): boolean {
    if (this.#restUntilMs <= nowMs || this.#restSinceMs >= askedMs) return false;
    this.#restUntilMs = nowMs;
    this.#slowStart.begin(nowMs);
    return true;
  }

  /** It is new among others that work: it begins with few. */
  startSlowly(nowMs: number): void {
    this.#limitUntilMs = -Infinity;
    this.#slowStart.begin(nowMs);
  }

  /** Its `/readyz` was asked. */
  recordComplaints(complaints: readonly Complaint[], nowMs: number): void {
    this.#complaints = complaints;
    this.#complainsSinceMs = complaints.length === 0 ? undefined : this.#complainsSinceMs ?? nowMs;
  }

  /** Its address left the list, or came back to it. */
  setLeaving(leaving: boolean): void {
    this.#leaving = leaving;
  }

  /** It says that it is about to stop or not ready, or that it is ready again. */
  setDraining(draining: boolean, nowMs: number): void {
    this.#limitUntilMs = -Infinity;
    if (this.#draining && !draining) this.#slowStart.begin(nowMs);
    this.#draining = draining;
  }

  #usable(nowMs: number): boolean {
    return !this.#leaving && !this.ejected && !this.#draining && nowMs >= this.#restUntilMs;
  }

  #settled(inFlight: number, tookMs: number, sentMs: number, nowMs: number): void {
    this.#settledMs = nowMs;
    if (sentMs > this.#fullMs) this.#refusedBelow = 0;
    const log = Math.log(Math.max(1, tookMs));
    this.#logLatency = this.#logLatency === undefined
      ? log
      : this.#logLatency + (log - this.#logLatency) * LATENCY_WEIGHT;
    if (this.#slowStart.active) this.#slowStart.recordSettled(nowMs);
    if (this.#answers.known) this.#answers.recordAccepted(inFlight, this.#limitMax, nowMs);
  }

  /**
   * 503 with `Retry-After`. With attempts in flight, its limit becomes what it holds. If it is idle, or refuses again with
   * fewer in flight than last time, it rests for as long as it asks.
   */
  #full(outcome: Outcome & { kind: "answer" }, sentMs: number, nowMs: number): void {
    if (outcome.problemType?.endsWith(DRAINING)) {
      this.#draining = true;
      return;
    }
    const waitMs = outcome.retryAfterMs ?? REST_MS;
    const again = sentMs > this.#fullMs && nowMs - this.#fullMs < waitMs && this.#inFlight < this.#held;
    if (again) this.#refusedBelow += 1;
    this.#fullMs = nowMs;
    this.#held = this.#inFlight;
    if (this.#inFlight > 0) this.#answers.recordRefused(this.#inFlight, nowMs);
    if (this.#inFlight > 0 && this.#refusedBelow < REFUSED_BELOW_MAX) return;
    this.#restSinceMs = nowMs;
    this.#restUntilMs = nowMs + waitMs;
  }

  #failed(own: boolean, standsOut: FinishedAttempt["standsOut"]): void {
    this.#failures += 1;
    if (this.#failures < FAILURES_MAX) return;
    if (own || standsOut(this.#failures)) this.#ejection ??= "failures-in-a-row";
  }
}
