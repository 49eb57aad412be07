// The pause before a process that crashed is started again: it doubles while crashes follow each other.

const FIRST_MS = 500;
const MAX_MS = 15_000;
/** After a run of this length a crash counts as a first one. */
const STEADY_MS = 30_000;

/** The pause before a process that crashed is started again. */
export class RestartPause {
  #nextMs = FIRST_MS;

  /** @param ranMs how long the process ran before it crashed. */
  after(ranMs: number): number {
    const pauseMs = ranMs >= STEADY_MS ? FIRST_MS : this.#nextMs;
    this.#nextMs = Math.min(MAX_MS, pauseMs * 2);
    return pauseMs;
  }
}
