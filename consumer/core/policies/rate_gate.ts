// RateGate: lets so many attempts a second leave, evenly.

/** What was not used may be made up for so long, in ms: a timer that fires late costs nothing, and nothing bursts. */
const SLACK_MS = 100;

/** Spaces attempts out. Until a rate is set all of them pass. */
export class RateGate {
  #perSecond: number | undefined;
  #nextMs = -Infinity;

  /** Attempts a second; undefined: no limit. */
  get perSecond(): number | undefined {
    return this.#perSecond;
  }

  /** When the next one may leave, in ms. In the past where it may leave now, Infinity where none may. */
  get nextMs(): number {
    return this.#perSecond === 0 ? Infinity : this.#nextMs;
  }

  /** Sets the rate. What left before still counts, at the new rate. */
  setRate(perSecond: number | undefined, nowMs: number): void {
    const before = this.#perSecond;
    if (before === perSecond) return;
    this.#perSecond = perSecond;
    if (perSecond === undefined) this.#nextMs = -Infinity;
    // A gap that was waited for is as much longer or shorter as the rate is lower or higher.
    else if (before === undefined) this.#nextMs = nowMs;
    else if (before > 0 && perSecond > 0 && this.#nextMs > nowMs) {
      this.#nextMs = nowMs + (this.#nextMs - nowMs) * before / perSecond;
    }
  }

  /** Whether one may leave now. */
  admits(nowMs: number): boolean {
    return this.#perSecond === undefined || this.nextMs <= nowMs;
  }

  /** One leaves. */
  recordSent(nowMs: number): void {
    if (this.#perSecond === undefined || this.#perSecond === 0) return;
    this.#nextMs = Math.max(this.#nextMs, nowMs - SLACK_MS) + 1000 / this.#perSecond;
  }
}
