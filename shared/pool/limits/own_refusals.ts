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

/** A record whose last attempt was refused. */
interface Refused {
  readonly inARow: number;
  /** How many attempts had been accepted by then. */
  readonly accepted: number;
}

/**
 * Tells refusals apart by what happens to the same record's next attempt. A provider that is full refuses whoever comes:
 * the next attempt is accepted as often as any other. A tenant's quota refuses the same records again.
 */
export class OwnRefusals {
  /** By idempotency key. */
  readonly #refused: Map<string, Refused> = new Map();
  /** Share of first attempts that are refused, and of second ones after that. */
  #first = 0;
  #second = 0;
  /** Attempts accepted, ever. */
  #accepted = 0;
  /** How many had been accepted when the last attempt was refused that says something about the provider. */
  #acceptedAtLast = 0;

  /** An attempt was refused. Says whether that is the record's own affair. */
  recordRefused(key: string | undefined): boolean {
    const before = key === undefined ? undefined : this.#refused.get(key);
    this.#record(before, 1);
    if (key !== undefined) this.#remember(key, (before?.inARow ?? 0) + 1);
    const own = this.#isOwn(before);
    if (!own) this.#acceptedAtLast = this.#accepted;
    return own;
  }

  /** An attempt was accepted. */
  recordAccepted(key: string | undefined): void {
    this.#accepted += 1;
    this.#record(key === undefined ? undefined : this.#refused.get(key), 0);
    if (key !== undefined) this.#refused.delete(key);
  }

  #isOwn(before: Refused | undefined): boolean {
    // While nobody is accepted, a refusal is no record's own.
    if (this.#first >= OVERLOAD_SHARE || this.#accepted === (before?.accepted ?? this.#acceptedAtLast)) {
      return false;
    }
    if (before !== undefined && before.inARow >= (this.#first <= RARE_SHARE ? 1 : 2)) return true;
    return this.#second >= Math.max(STICKY_SHARE, 2 * this.#first);
  }

  #record(before: Refused | undefined, refused: 0 | 1): void {
    if (before === undefined) this.#first += (refused - this.#first) * FIRST_WEIGHT;
    else if (before.inARow === 1) this.#second += (refused - this.#second) * SECOND_WEIGHT;
  }

  #remember(key: string, inARow: number): void {
    this.#refused.delete(key);
    this.#refused.set(key, { inARow, accepted: this.#accepted });
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > RECORDS_MAX && oldest !== undefined) this.#refused.delete(oldest);
  }
}
