// A stretch of time's attempts: how many went well, how long they took, how many were in flight. Pure.

/** A stretch of time, from when it is made. */
export class GoodputWindow {
  readonly fromMs: number;
  #good = 0;
  #ended = 0;
  #logMs = 0;
  #logSquares = 0;
  #area = 0;
  #seenMs: number;

  constructor(nowMs: number) {
    this.fromMs = nowMs;
    this.#seenMs = nowMs;
  }

  /** Attempts that went well. */
  get good(): number {
    return this.#good;
  }

  /** An attempt ended; `inFlight` were on their way until now, it included. */
  record(good: boolean, latencyMs: number, inFlight: number, nowMs: number): void {
    this.#area += inFlight * (nowMs - this.#seenMs);
    this.#seenMs = nowMs;
    this.#ended += 1;
    if (!good) return;
    this.#good += 1;
    const log = Math.log(Math.max(1, latencyMs));
    this.#logMs += log;
    this.#logSquares += log * log;
  }

  /** Share of the attempts that did not. */
  get failedShare(): number {
    return this.#ended === 0 ? 0 : 1 - this.#good / this.#ended;
  }

  /** Attempts that went well in a ms. */
  rate(nowMs: number): number {
    return this.#good / Math.max(1, nowMs - this.fromMs);
  }

  /**
   * What it brought, to be held against other stretches: Little's law with the geometric mean in place of the
   * arithmetic one, which a few slow attempts throw about.
   */
  yield(nowMs: number): number {
    return this.#good === 0 ? 0 : this.inFlight(nowMs) / this.latencyMs * this.#good / this.#ended;
  }

  /** Geometric mean of their time in ms: a tail of slow ones weighs no more than it should. 0 without any. */
  get latencyMs(): number {
    return this.#good === 0 ? 0 : Math.exp(this.#logMs / this.#good);
  }

  /** Standard deviation of the logarithms of their time: 1 is a tail as LLMs have it, 0 all the same. */
  get spread(): number {
    if (this.#good < 2) return 0;
    const mean = this.#logMs / this.#good;
    return Math.sqrt(Math.max(0, this.#logSquares / this.#good - mean * mean));
  }

  /** Arithmetic mean of the attempts in flight. */
  inFlight(nowMs: number): number {
    return this.#area / Math.max(1, nowMs - this.fromMs);
  }
}
