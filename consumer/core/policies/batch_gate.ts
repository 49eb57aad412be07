// BatchGate: which new records may start in `batch` mode, so that batches fill and part-filled ones still leave.

/** How batches form. */
export interface BatchConfig {
  readonly size: number;
  /** How long a part-filled batch waits for more, in ms. */
  readonly lingerMs: number;
}

/** Admits records in batches: the next one starts when every record of the last is settled. */
export class BatchGate {
  readonly #config: BatchConfig;
  /** Records of the open batch that have not started yet. */
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

  /** Whether no batch is open, with `ready` records there to start: what is settled may be committed. */
  isIdle(ready: number): boolean {
    this.#admissions = Math.min(this.#admissions, ready);
    return this.#unsettled === 0 && this.#admissions === 0;
  }

  /** Whether another of `ready` records may start now. `mayBegin` says whether a new batch may. */
  admits(ready: number, mayBegin: boolean, nowMs: number): boolean {
    if (!this.isIdle(ready)) return this.#admissions > 0;
    if (ready === 0 || !mayBegin) {
      this.#waitingSinceMs = undefined;
      return false;
    }
    this.#waitingSinceMs ??= nowMs;
    const lingered = nowMs >= this.#waitingSinceMs + this.#config.lingerMs;
    if (ready < this.#config.size && !lingered) return false;
    this.#admissions = Math.min(ready, this.#config.size);
    this.#waitingSinceMs = undefined;
    return true;
  }

  /** A record started: one of the batch, or a probe, which joins the batch. */
  recordStarted(): void {
    this.#admissions = Math.max(0, this.#admissions - 1);
    this.#unsettled += 1;
    this.#waitingSinceMs = undefined;
  }

  /** A record of the batch is settled or was dropped. */
  recordEnded(): void {
    this.#unsettled -= 1;
  }
}
