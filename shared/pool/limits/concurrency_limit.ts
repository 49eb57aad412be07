// The limit that "too many" leaves: it falls to what was held, and grows from there as CUBIC does. Pure.

/** CUBIC's constant (RFC 9438 section 5), in attempts a second cubed: 8 more after 2.7 s, 40 more after 4.6 s. */
const GROWTH = 0.4;
/** Growth rests at what was held for so long at least, in ms. */
const PLATEAU_MS = 500;
/** Where answers are quick one more is had sooner: after so many rounds that go well. */
const ROUNDS = 8;
/** One refusal takes no more than this share, for it may have had another reason; more of them take more. */
const LEAST_SHARE = 0.7;

/** Falls to what is held when an answer says "too many", and grows while it is in use. */
export class ConcurrencyLimit {
  #base = Infinity;
  #usedMs = 0;
  #accepted = 0;
  #seenMs = 0;

  /** Whether somebody has said that there are too many. */
  get known(): boolean {
    return this.#base !== Infinity;
  }

  /** Attempts at once; infinite while nobody has said that there are too many. At least 1. */
  get limit(): number {
    if (!this.known) return Infinity;
    const grownMs = Math.max(0, this.#usedMs - PLATEAU_MS);
    const byTime = GROWTH * (grownMs / 1000) ** 3;
    return Math.max(1, Math.floor(this.#base + Math.max(byTime, this.#accepted / (ROUNDS * this.#base))));
  }

  /** An attempt was too much for whoever answers; `held` others are on their way. */
  recordRefused(held: number, nowMs: number): void {
    const { limit } = this;
    const least = limit === Infinity ? held : Math.floor(limit * LEAST_SHARE);
    this.#base = Math.max(1, least, Math.min(limit, held));
    this.#usedMs = 0;
    this.#accepted = 0;
    this.#seenMs = nowMs;
  }

  /**
   * An attempt went well, with `inFlight` on their way before it ended. Time counts as growth only while the limit is
   * used: an idle pool learns nothing about what it may have.
   *
   * @param max the limit is forgotten when it has grown to this.
   */
  recordAccepted(inFlight: number, max: number, nowMs: number): void {
    if (!this.known) return;
    // One long silence is one round of use and no more.
    if (inFlight >= this.limit * 0.9 - 1) {
      this.#usedMs += Math.min(1000, nowMs - this.#seenMs);
      this.#accepted += 1;
    }
    this.#seenMs = nowMs;
    if (this.limit >= max) this.forget();
  }

  /** The refusals were about something else. */
  forget(): void {
    this.#base = Infinity;
  }
}
