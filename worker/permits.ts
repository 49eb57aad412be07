// How many requests may run at once, and when the last one has ended.

/** Permits without a queue: whoever gets none is told so at once. */
export class Permits {
  readonly #max: number;
  #inFlight = 0;
  #idle: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Requests running now, those whose caller has gone away included. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Takes one; false when all are taken. */
  take(): boolean {
    if (this.#inFlight >= this.#max) return false;
    this.#inFlight++;
    return true;
  }

  /** Gives one back. */
  give(): void {
    this.#inFlight--;
    if (this.#inFlight > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when nothing is in flight. */
  idle(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }
}
