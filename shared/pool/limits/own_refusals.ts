// Refusals (429) that are about the record or its tenant, and not about the provider's limit. Pure.

/** Share of the latest first attempt, and of the latest second one, in what is known of them. */
const FIRST_WEIGHT = 0.02;
const SECOND_WEIGHT = 0.1;
/** Where so many of all first attempts are refused it is an overload, whatever else there is. */
const OVERLOAD_SHARE = 0.5;
/** Where so few are, a second refusal in a row is the record's own; else a third one is. */
const RARE_SHARE = 0.1;
/** Where so many second attempts are refused as well, and twice as many as of the first ones, refusals stick to records. */
const STICKY_SHARE = 0.5;
/** Records that were refused and not accepted yet: the oldest are forgotten. */
const RECORDS_MAX = 10_000;

/**
 * Tells refusals apart by what happens to the same record's next attempt. A provider that is full refuses whoever comes:
 * the next attempt is accepted as often as any other. A tenant's quota refuses the same records again.
 */
export class OwnRefusals {
  /** Refusals in a row by idempotency key. */
  readonly #inARow: Map<string, number> = new Map();
  /** Share of first attempts that are refused, and of second ones after that. */
  #first = 0;
  #second = 0;

  /** An attempt was refused. Says whether that is the record's own affair. */
  recordRefused(key: string | undefined): boolean {
    const before = this.#record(key, 1);
    if (key !== undefined) this.#remember(key, before + 1);
    if (this.#first >= OVERLOAD_SHARE) return false;
    if (before >= (this.#first <= RARE_SHARE ? 1 : 2)) return true;
    return this.#second >= Math.max(STICKY_SHARE, 2 * this.#first);
  }

  /** An attempt was accepted. */
  recordAccepted(key: string | undefined): void {
    this.#record(key, 0);
    if (key !== undefined) this.#inARow.delete(key);
  }

  /** Returns how often in a row the record was refused before. */
  #record(key: string | undefined, refused: 0 | 1): number {
    const before = (key !== undefined && this.#inARow.get(key)) || 0;
    if (before === 0) this.#first += (refused - this.#first) * FIRST_WEIGHT;
    else if (before === 1) this.#second += (refused - this.#second) * SECOND_WEIGHT;
    return before;
  }

  #remember(key: string, inARow: number): void {
    this.#inARow.delete(key);
    this.#inARow.set(key, inARow);
    const [oldest] = this.#inARow.keys();
    if (this.#inARow.size > RECORDS_MAX && oldest !== undefined) this.#inARow.delete(oldest);
  }
}
