// The provider's rate behind all replicas: a token bucket as its headers report it, or as its refusals let us learn it. Pure.

import { RETRY_AFTER_MAX_MS } from "../../contract/retry_after.ts";
import type { RateReport } from "./rate_limit_headers.ts";
import { RecentAttempts } from "./recent_attempts.ts";

/** A learned rate grows by this share a second, to find out whether the provider gives more. */
const RAISE = 0.006;
/** It grows faster the longer nothing was refused: by so much more for every second cubed. */
const RAISE_CUBED = 0.0002;
/** What was accepted in this time makes the learned rate, in ms. */
const LEARN_MS = 10_000;
/** A bucket that delayed nothing for so long is dropped, in ms. */
const UNUSED_MS = 10_000;
/** So many must have been accepted for a rate to be learned. */
const LEARN_LEAST = 10;
/** A learned bucket holds what comes in this time, in ms. */
const BURST_MS = 850;

interface Bucket {
  readonly reported: boolean;
  readonly capacity: number;
  /** Tokens a ms. */
  readonly rate: number;
  readonly tokens: number;
  readonly atMs: number;
}

/** How many attempts may leave now. */
export class RateLimit {
  /** However little a report gives, so much does come, in tokens a ms: nothing stands still for longer than we would wait. */
  readonly #rateMin: number;
  #bucket: Bucket | undefined;
  #restUntilMs = -Infinity;
  #emptyMs = -Infinity;
  #raisedMs = 0;
  #refusedMs = 0;
  /** Attempts started, ever. */
  #started = 0;
  #reportedAt = -1;
  readonly #accepted = new RecentAttempts(LEARN_MS);
  #firstMs: number | undefined;

  /** @param waitMaxMs longest time without a token, in ms. */
  constructor(waitMaxMs = RETRY_AFTER_MAX_MS) {
    this.#rateMin = 1 / Math.max(1, waitMaxMs);
  }

  /** A rate is known, by report or by refusals: a 429 is its, and not that of too many at once. */
  get known(): boolean {
    return this.#bucket !== undefined;
  }

  /** Attempts a second; undefined where no rate is known. */
  get perSecond(): number | undefined {
    return this.#bucket === undefined ? undefined : this.#bucket.rate * 1000;
  }

  /** Nothing leaves before, in ms. */
  get restUntilMs(): number {
    return this.#restUntilMs;
  }

  /** Attempts that may leave now; infinite where no rate is known. */
  tokens(nowMs: number): number {
    if (nowMs < this.#restUntilMs) return 0;
    const bucket = this.#bucket;
    return bucket === undefined ? Infinity : Math.max(0, Math.floor(filled(bucket, nowMs)));
  }

  /** When the next attempt may leave, in ms; undefined when one may now. */
  nextTokenMs(nowMs: number): number | undefined {
    if (nowMs < this.#restUntilMs) return this.#restUntilMs;
    const bucket = this.#bucket;
    if (bucket === undefined || filled(bucket, nowMs) >= 1) return undefined;
    return Math.ceil(nowMs + Math.max(1, (1 - filled(bucket, nowMs)) / bucket.rate));
  }

  /** An attempt leaves. Returns its number among all that left, which a report about it is told with. */
  start(nowMs: number): number {
    this.#firstMs ??= nowMs;
    if (this.#bucket !== undefined) {
      const tokens = filled(this.#bucket, nowMs) - 1;
      if (tokens < 1) this.#emptyMs = nowMs;
      this.#bucket = { ...this.#bucket, tokens, atMs: nowMs };
    }
    return ++this.#started;
  }

  /** An attempt that left was not about the rate after all: its token is there again. */
  giveBack(nowMs: number): void {
    const bucket = this.#bucket;
    if (bucket === undefined) return;
    this.#bucket = { ...bucket, tokens: Math.min(bucket.capacity, filled(bucket, nowMs) + 1), atMs: nowMs };
  }

  /** An attempt was accepted by the provider. */
  recordAccepted(nowMs: number): void {
    this.#accepted.record(false, nowMs);
    const bucket = this.#bucket;
    if (bucket === undefined) return;
    if (nowMs - this.#emptyMs > UNUSED_MS) this.#bucket = undefined;
    else if (!bucket.reported) this.#raiseRate(bucket, nowMs);
  }

  /**
   * The answer to attempt number `of` said what is left. What left since then is not in it yet. Reports of attempts
   * older than the last one reported on are passed over.
   */
  recordReport(report: RateReport, of: number, sentMs: number, nowMs: number): void {
    if (of <= this.#reportedAt) return;
    const rate = rateOf(report);
    if (rate === undefined) return;
    this.#reportedAt = of;
    const since = this.#started - of;
    const capacity = Math.max(1, report.limit ?? report.remaining);
    const tokens = Math.min(capacity, report.remaining + rate * (nowMs - sentMs)) - since;
    if (tokens < 1) this.#emptyMs = nowMs;
    // A provider that has plenty left limits nothing.
    else if (this.#bucket === undefined && report.remaining > capacity / 2) return;
    else if (this.#bucket === undefined) this.#emptyMs = nowMs;
    this.#bucket = { reported: true, capacity, rate: Math.max(this.#rateMin, rate), tokens, atMs: nowMs };
  }

  /** Nothing leaves for `waitMs`. */
  rest(waitMs: number, nowMs: number): void {
    this.#restUntilMs = Math.max(this.#restUntilMs, nowMs + waitMs);
    this.#emptyMs = this.#restUntilMs;
  }

  /** What asked for the rest is over. */
  endRest(nowMs: number): void {
    this.#restUntilMs = Math.min(this.#restUntilMs, nowMs);
    this.#emptyMs = Math.min(this.#emptyMs, nowMs);
  }

  /** A refusal is about the rate, and nothing reports it: it is what was accepted of late. */
  learn(waitMs: number, nowMs: number): void {
    if (this.#bucket?.reported) return;
    const sinceMs = Math.max(this.#accepted.fromMs(nowMs), this.#firstMs ?? nowMs);
    const accepted = this.#accepted.counts(nowMs).attempts;
    if (accepted < LEARN_LEAST && this.#bucket === undefined) return;
    const seen = accepted / Math.max(1000, nowMs - sinceMs);
    // After a long rest little was accepted: one refusal takes a tenth at most.
    const rate = Math.max(seen, 0.9 * (this.#bucket?.rate ?? 0));
    this.#raisedMs = this.#refusedMs = nowMs + waitMs;
    this.#bucket = { reported: false, capacity: Math.max(1, rate * BURST_MS), rate, tokens: 0, atMs: nowMs };
  }

  /** The refusals were not about the rate. */
  unlearn(): void {
    if (this.#bucket?.reported === false) this.#bucket = undefined;
  }

  #raiseRate(bucket: Bucket, nowMs: number): void {
    // The longer nothing was refused, the faster.
    const calmSeconds = Math.max(0, nowMs - this.#refusedMs) / 1000;
    const share = RAISE + RAISE_CUBED * calmSeconds ** 3;
    const rate = bucket.rate * (1 + Math.min(0.5, share) * clamp((nowMs - this.#raisedMs) / 1000));
    this.#raisedMs = nowMs;
    const tokens = filled(bucket, nowMs);
    this.#bucket = { ...bucket, rate, capacity: Math.max(1, rate * BURST_MS), tokens, atMs: nowMs };
  }
}

function clamp(seconds: number): number {
  return Math.min(1, Math.max(0, seconds));
}

function filled({ tokens, rate, capacity, atMs }: Bucket, nowMs: number): number {
  return Math.min(capacity, tokens + rate * (nowMs - atMs));
}

/** Tokens a ms: what a window gives, or what is missing over the time in which it comes back. */
function rateOf({ remaining, resetMs, limit, windowMs }: RateReport): number | undefined {
  if (limit !== undefined && windowMs !== undefined && windowMs > 0) return limit / windowMs;
  if (limit === undefined || limit <= remaining || resetMs <= 0) return undefined;
  return (limit - remaining) / resetMs;
}
