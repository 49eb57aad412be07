// Attempts of the time just past: how many there were and how many of them failed. Pure.

interface Step {
  readonly number: number;
  attempts: number;
  failures: number;
}

/** A window is made of so many steps, so that what is old falls out bit by bit. */
const STEPS = 10;

/** Attempts and failures of the time just past. */
export class RecentAttempts {
  readonly #stepMs: number;
  #steps: Step[] = [];

  constructor(windowMs: number) {
    this.#stepMs = windowMs / STEPS;
  }

  /** An attempt came back. */
  record(failed: boolean, nowMs: number): void {
    const number = Math.floor(nowMs / this.#stepMs);
    let last = this.#steps.at(-1);
    if (last?.number !== number) {
      last = { number, attempts: 0, failures: 0 };
      this.#steps = [...this.#steps.filter((step) => step.number > number - STEPS), last];
    }
    last.attempts += 1;
    if (failed) last.failures += 1;
  }

  /** When the time that still counts began, in ms. */
  fromMs(nowMs: number): number {
    return (Math.floor(nowMs / this.#stepMs) - STEPS + 1) * this.#stepMs;
  }

  /** Attempts and failures that still count. */
  counts(nowMs: number): { readonly attempts: number; readonly failures: number } {
    const oldest = Math.floor(nowMs / this.#stepMs) - STEPS;
    let [attempts, failures] = [0, 0];
    for (const step of this.#steps) {
      if (step.number <= oldest) continue;
      attempts += step.attempts;
      failures += step.failures;
    }
    return { attempts, failures };
  }

  /** What was is forgotten: it comes back from an ejection. */
  clear(): void {
    this.#steps = [];
  }
}
