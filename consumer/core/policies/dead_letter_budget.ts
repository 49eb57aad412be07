// DeadLetterBudget: the tokens that dead letters cost, so that no fault turns a whole topic into dead letters.

/** How many dead letters are allowed. */
export interface DeadLetterBudgetConfig {
  /** Most tokens the bucket holds, and what it starts with (`DEAD_LETTER_BURST`). */
  readonly burst: number;
  /** Tokens a success is worth (`DEAD_LETTER_SHARE`). */
  readonly share: number;
}

/** One token comes by itself in this time, so that nothing blocks for ever. */
export const TOKEN_EVERY_MS = 10_000;

/** A token bucket filled by successes and, slowly, by time. */
export class DeadLetterBudget {
  readonly #config: DeadLetterBudgetConfig;
  #tokens: number;
  #filledMs: number;

  constructor(config: DeadLetterBudgetConfig, nowMs: number) {
    this.#config = config;
    this.#tokens = config.burst;
    this.#filledMs = nowMs;
  }

  /** Whole tokens at hand. */
  tokens(nowMs: number): number {
    this.#fill(nowMs);
    return Math.floor(this.#tokens + EPSILON);
  }

  /** When the next token is there, in ms; now where one already is. */
  nextMs(nowMs: number): number {
    this.#fill(nowMs);
    return nowMs + Math.ceil(Math.max(0, 1 - EPSILON - this.#tokens) * TOKEN_EVERY_MS);
  }

  /** Whether nothing can be earned. */
  get full(): boolean {
    return this.#tokens >= this.#config.burst;
  }

  /** A record was settled by a worker. */
  recordSucceeded(): void {
    this.#earn(this.#config.share);
  }

  /** Pays for one dead letter; false when there is nothing to pay with. */
  take(nowMs: number): boolean {
    if (this.tokens(nowMs) < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** An operator lets more through, above the burst if need be. */
  allow(count: number): void {
    this.#tokens += count;
  }

  #fill(nowMs: number): void {
    const earned = Math.max(0, nowMs - this.#filledMs) / TOKEN_EVERY_MS;
    this.#filledMs = Math.max(this.#filledMs, nowMs);
    this.#earn(earned);
  }

  /** Fills up to the burst; what an operator allowed above that stays. */
  #earn(tokens: number): void {
    const { burst } = this.#config;
    if (this.#tokens < burst) this.#tokens = Math.min(burst, this.#tokens + tokens);
  }
}

/** Fifty successes at 0.02 are one token, whatever floating point makes of the sum. */
const EPSILON = 1e-6;
