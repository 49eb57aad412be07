// The limit of the provider behind all replicas: attempts at once, and attempts a second. Pure.
//
// How the limits combine: a replica takes the least of WORKER_CONCURRENCY, its slow start, its concurrency limit and its
// goodput search; the pool takes the sum of that, at most the provider's own concurrency limit and goodput search, and
// starts no attempt for which the provider's rate limit has no token.

import type { Outcome } from "../../contract/outcome.ts";
import { ConcurrencyLimit } from "./concurrency_limit.ts";
import type { AttemptInFlight } from "../attempt_in_flight.ts";
import { GoodputSearch } from "./goodput_search.ts";
import { OwnRefusals } from "./own_refusals.ts";
import { RateLimit } from "./rate_limit.ts";
import type { RateReport } from "./rate_limit_headers.ts";

/** Refusals in a row, each of an attempt sent after the one before had come, after which all rest for a while. */
const ROW_MAX = 4;
/** So many more signs for a rate than for too many at once decide that it is a rate. */
const SIGNS = 2;
const SIGNS_MAX = 4;
/** Rests where the provider does not say how long, in ms: the first, doubled up to the last. */
const REST_FIRST_MS = 1000;
const REST_MAX_MS = 15_000;
/** Longest rest that is taken at a refusal's word, in ms: then one attempt asks whether it is over, and so on, doubled. */
const REST_UNASKED_MS = 2000;
/** Shortest rest, in ms: `Retry-After: 0` must not make the pool spin. */
const REST_LEAST_MS = 50;

/** An attempt that came back and was not refused. */
export interface EndedAttempt {
  readonly settled: boolean;
  readonly sent: AttemptInFlight;
  readonly tookMs: number;
  /** Attempts on their way before it ended. */
  readonly inFlight: number;
  /** Attempts the replicas take at once. */
  readonly max: number;
  readonly nowMs: number;
}

/** Limits for the pool as a whole. */
export class ProviderLimit {
  readonly #retryAfterMaxMs: number;
  readonly #answers = new ConcurrencyLimit();
  readonly #rate: RateLimit;
  readonly #own = new OwnRefusals();
  #search: GoodputSearch | undefined;
  #started = 0;
  /** Attempts that had left when the last refusal came. */
  #startedWhenRefused = 0;
  #row = 0;
  /** The most that were on their way when an attempt left that was accepted, since the last row of refusals. */
  #acceptedAt = 0;
  /** The fewest that were held when an attempt of the row was refused. */
  #heldLeast = Infinity;
  /** Signs for a rate, less those for too many at once. */
  #signs = 0;
  /** Attempts that were sent alone in a rest, to ask whether it is over; undefined while none has to. */
  #asked: number | undefined;
  /** The end that the provider named of a rest that is taken in parts, in ms. */
  #namedUntilMs = -Infinity;

  constructor(retryAfterMaxMs: number) {
    this.#retryAfterMaxMs = retryAfterMaxMs;
    this.#rate = new RateLimit(retryAfterMaxMs);
  }

  /** Attempts at once, as learned; infinite where nothing is known to be too much. */
  get limit(): number {
    return Math.min(this.#answers.limit, this.#search?.limit ?? Infinity);
  }

  /** The provider asked to be left alone until then, in ms; in the past when it did not, or when others got through. */
  get restUntilMs(): number {
    return Math.max(this.#rate.restUntilMs, this.#asked === undefined ? -Infinity : this.#namedUntilMs);
  }

  /** Attempts a second that the provider gives; undefined where none is known to hold anything up. */
  get ratePerSecond(): number | undefined {
    return this.#rate.perSecond;
  }

  /** Attempts that may be in flight at once, of `max` that the replicas take. */
  permits(max: number, inFlight: number, nowMs: number): number {
    const tokens = this.#isLimited(nowMs) ? this.#rate.tokens(nowMs) : Infinity;
    const most = this.#asked === undefined ? Math.max(1, this.limit) : 1;
    return Math.min(max, most, tokens === Infinity ? Infinity : inFlight + tokens);
  }

  /** When it may be more by time alone, in ms. */
  nextChangeMs(nowMs: number): number | undefined {
    return this.#isLimited(nowMs) ? this.#rate.nextTokenMs(nowMs) : undefined;
  }

  /** An attempt leaves; returns which of all it is. */
  start(nowMs: number): number {
    this.#search ??= new GoodputSearch(nowMs);
    this.#started = this.#rate.start(nowMs);
    return this.#started;
  }

  /** An answer said what is left of the rate. */
  recordReport(report: RateReport, { number, sentMs }: AttemptInFlight, nowMs: number): void {
    this.#rate.recordReport(report, number, sentMs, nowMs);
  }

  /** An attempt came back that the provider did not refuse. */
  recordFinished({ settled, sent, tookMs, inFlight, max, nowMs }: EndedAttempt): void {
    const most = Math.min(max, this.#answers.limit);
    this.#search?.recordFinished(settled, tookMs, inFlight, most, nowMs);
    if (!settled) return;
    this.#own.recordAccepted(sent.key, sent);
    this.#rate.recordAccepted(nowMs);
    if (this.#answers.known) this.#answers.recordAccepted(inFlight, max, nowMs);
    if (sent.number <= this.#startedWhenRefused) return;
    this.#asked = undefined;
    if (this.#row > 0) this.#classifyRefusals();
    this.#acceptedAt = Math.max(this.#acceptedAt, sent.level);
  }

  /**
   * 429. Is it the record's own affair, then it says nothing here. Is it too many at once, then what is held is right. Is it
   * the rate, then what is held says nothing, and nothing leaves for as long as the answer asks.
   *
   * @param held other attempts on their way.
   */
  recordRefused(
    outcome: Outcome,
    sent: AttemptInFlight,
    held: number,
    report: RateReport | undefined,
    nowMs: number,
  ): void {
    const asked = outcome.kind === "answer" ? outcome.retryAfterMs : undefined;
    const refused = { level: sent.level, started: this.#started, askedMs: asked, nowMs };
    // Refused before, it cannot tell whether a rest is over: the next one asks.
    const asksInVain = this.#asked !== undefined && this.#own.hasRefused(sent.key);
    if (this.#own.recordRefused(sent.key, refused) || asksInVain) return this.#rate.giveBack(nowMs);
    if (report !== undefined) this.recordReport(report, sent, nowMs);
    const exhausted = report !== undefined && report.remaining < 1;
    if (sent.number > this.#startedWhenRefused) this.#row += 1;
    this.#startedWhenRefused = this.#started;
    this.#heldLeast = Math.min(this.#heldLeast, held);
    const byRate = exhausted || this.#rate.known || this.#signs >= SIGNS;
    if (!byRate) this.#answers.recordRefused(held, nowMs);
    if (!byRate && held > 0 && this.#row < ROW_MAX) return;
    const longer = Math.min(REST_MAX_MS, REST_FIRST_MS * 2 ** Math.max(0, Math.min(10, this.#row - ROW_MAX)));
    const wantedMs = Math.max(REST_LEAST_MS, asked ?? (exhausted ? report.resetMs : longer));
    const waitMs = this.#rest(Math.min(wantedMs, this.#retryAfterMaxMs), exhausted, nowMs);
    if (byRate && !exhausted) this.#rate.learn(waitMs, nowMs);
    if (this.#rate.known) this.#answers.forget();
  }

  /** What asked for the rest is over, whatever time it named. */
  endRest(nowMs: number): void {
    this.#asked = undefined;
    this.#rate.endRest(nowMs);
  }

  /**
   * Rests, and returns for how long, in ms. A long wait may be one tenant's, which only another attempt can tell: so the
   * rest is taken in parts, and one attempt goes out after each. What the headers say is taken at its word.
   */
  #rest(waitMs: number, certain: boolean, nowMs: number): number {
    const partMs = Math.min(REST_MAX_MS, REST_UNASKED_MS * 2 ** Math.min(10, this.#asked ?? 0));
    const restMs = certain ? waitMs : Math.min(waitMs, partMs);
    if (restMs < waitMs) {
      this.#asked = (this.#asked ?? -1) + 1;
      this.#namedUntilMs = nowMs + waitMs;
    }
    this.#rate.rest(restMs, nowMs);
    return restMs;
  }

  #isLimited(nowMs: number): boolean {
    return this.#rate.known || nowMs < this.#rate.restUntilMs;
  }

  /**
   * A row of refusals has ended. Where fewer at once were refused than were accepted before, that speaks for a rate;
   * where only more were, for too many at once, also against a rate that was believed.
   */
  #classifyRefusals(): void {
    const sign = this.#heldLeast < this.#acceptedAt * 0.7 - 1 ? 1 : -1;
    const signs = this.#signs + sign;
    // Once decided, it takes as many signs to the contrary.
    this.#signs = sign > 0 && signs >= SIGNS ? SIGNS_MAX : Math.max(0, signs);
    if (this.#signs === 0) this.#rate.unlearn();
    this.#row = 0;
    this.#acceptedAt = 0;
    this.#heldLeast = Infinity;
  }
}
