// Provider's rate limit as it last reported it: passed to the pool once, with the next answer.

/** A report that nobody was answered with for so long says nothing about now, in ms. */
const FRESH_MS = 2000;

/** The last report. */
export class ProviderRate {
  readonly #nowMs: () => number;
  #headers: Readonly<Record<string, string>> | undefined;
  #atMs = -Infinity;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The provider answered with these rate-limit headers. */
  record(headers: Readonly<Record<string, string>>): void {
    this.#headers = Object.keys(headers).length === 0 ? undefined : headers;
    this.#atMs = this.#nowMs();
  }

  /** What is to be passed on with an answer; undefined where nothing new is known. */
  take(): Readonly<Record<string, string>> | undefined {
    const headers = this.#headers;
    this.#headers = undefined;
    return this.#nowMs() - this.#atMs <= FRESH_MS ? headers : undefined;
  }
}
