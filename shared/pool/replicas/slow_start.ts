// The slow start of a replica that is new or back: few attempts at first, more by time and by what it settles. Pure.

/** All permits are there after so many steps of so long, in ms, if not sooner. */
const STEP_MS = 500;
const STEPS = 8;

/** A replica's first seconds. */
export class SlowStart {
  readonly #limitMax: number;
  #allowed = Infinity;
  /** Steps are counted from here; undefined while it has to settle something first. */
  #sinceMs: number | undefined;

  constructor(limitMax: number) {
    this.#limitMax = limitMax;
  }

  /** It is new among others: an eighth of its permits, and an eighth more every step. */
  begin(nowMs: number): void {
    this.#allowed = 0;
    this.#sinceMs = nowMs;
  }

  /** It is back from an ejection: one attempt, until that is settled. */
  onProbation(): void {
    this.#allowed = 1;
    this.#sinceMs = undefined;
  }

  /** Whether it has fewer permits than it may have. */
  get active(): boolean {
    return this.#allowed !== Infinity;
  }

  /** It settled something: one more, which doubles them every round. */
  recordSettled(nowMs: number): void {
    if (!this.active) return;
    this.#sinceMs ??= nowMs;
    this.#allowed += 1;
    if (this.limit(nowMs) >= this.#limitMax) this.#allowed = Infinity;
  }

  /** Attempts at once. */
  limit(nowMs: number): number {
    if (this.#allowed === Infinity) return this.#limitMax;
    const steps = this.#sinceMs === undefined ? 0 : Math.floor((nowMs - this.#sinceMs) / STEP_MS) + 1;
    const byTime = steps >= STEPS ? this.#limitMax : Math.ceil(steps * this.#limitMax / STEPS);
    return Math.min(this.#limitMax, Math.max(1, this.#sinceMs === undefined ? 1 : byTime, this.#allowed));
  }

  /** When there will be more by time alone, in ms; undefined when there will not. */
  nextStepMs(nowMs: number): number | undefined {
    if (this.#allowed === Infinity || this.#sinceMs === undefined) return undefined;
    const steps = Math.floor((nowMs - this.#sinceMs) / STEP_MS) + 1;
    return steps >= STEPS ? undefined : this.#sinceMs + steps * STEP_MS;
  }
}
