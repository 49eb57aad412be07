// `batch` mode's gate: which new records may start, so that batches fill, and part-filled ones still leave.

/** How batches form. */
export interface BatchConfig {
  readonly size: number;
  /** How long a part-filled batch waits for more, in ms. */
  readonly lingerMs: number;
}

/** Admits records in batches: the next one starts when every record of the last is settled. */
export class BatchGate {
  readonly #config: BatchConfig;
  #admissions = 0;
  #unsettled = 0;
  #waitingSinceMs: number | undefined;

  constructor(config: BatchConfig) {
    this.#config = config;
  }

  /** When a part-filled batch leaves, in ms; undefined while none waits. */
  get lingerUntilMs(): number | undefined {
    return this.#waitingSinceMs === undefined ? undefined : this.#waitingSinceMs + this.#config.lingerMs;
  }

  /** Whether another of `ready` records may start now. */
  admits(ready: number, nowMs: number): boolean {
    if (ready === 0) {
      this.#admissions = 0;
      this.#waitingSinceMs = undefined;
      return false;
    }
    if (this.#admissions > 0) return true;
    if (this.#unsettled > 0) return false;
    this.#waitingSinceMs ??= nowMs;
    const lingered = nowMs >= this.#waitingSinceMs + this.#config.lingerMs;
    if (ready < this.#config.size && !lingered) return false;
    this.#admissions = Math.min(ready, this.#config.size);
    this.#waitingSinceMs = undefined;
    return true;
  }

  /** A record of the batch started. */
  recordStarted(): void {
    this.#admissions -= 1;
    this.#unsettled += 1;
  }

  /** A record of the batch is settled or was dropped; true when the batch is whole. */
  recordEnded(): boolean {
    this.#unsettled -= 1;
    return this.#unsettled === 0 && this.#admissions === 0;
  }
}
