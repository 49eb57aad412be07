// Records whose attempts end in a reset again and again: it is theirs, and no replica's. Pure.

/** Records that were reset and have had no other outcome yet: the oldest are forgotten. */
const RECORDS_MAX = 1000;

/** A replica that breaks resets whoever is there; a record that breaks connections is reset wherever it goes. */
export class RepeatedResets {
  /** Idempotency keys whose last attempt was reset. */
  readonly #keys: Set<string> = new Set();

  /** Whether any record was reset and has had no other outcome yet. */
  get any(): boolean {
    return this.#keys.size > 0;
  }

  /** Whether this record's last attempt was reset. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** An attempt ended. Says whether it was reset as the same record's attempt before it was. */
  record(key: string | undefined, reset: boolean): boolean {
    if (key === undefined) return false;
    if (!reset) {
      this.#keys.delete(key);
      return false;
    }
    if (this.#keys.has(key)) return true;
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > RECORDS_MAX && oldest !== undefined) this.#keys.delete(oldest);
    return false;
  }
}
