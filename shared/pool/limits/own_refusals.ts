// Refusals (429) that are about the record or its tenant, and not about the provider's limit. Pure.

import type { AttemptInFlight } from "../attempt_in_flight.ts";

/** Share of the latest first attempt, and of the latest second one, in what is known of them. */
const FIRST_WEIGHT = 0.02;
const SECOND_WEIGHT = 0.1;
/** Where so many of all first attempts are refused it is an overload, whatever else there is. */
const OVERLOAD_SHARE = 0.5;
/** Where so few are, a second refusal in a row is the record's own; else a third one is. */
const RARE_SHARE = 0.1;
/** Where so many second attempts are refused as well, and twice as many as of the first ones, refusals stick to records. */
const STICKY_SHARE = 0.5;
/** A wait that others disprove is one of so long at least, in ms: shorter ones are rounded up to whole seconds. */
const DISPROVABLE_MS = 2000;
/** So much of a wait may be rounding, in ms. */
const ROUNDING_MS = 1000;
/** Share of the latest wait in what is known of them. */
const WAIT_WEIGHT = 0.35;
/** Share of the latest attempt in the levels at which attempts are accepted, and refused. */
const LEVEL_WEIGHT = 0.02;
/**
 * Refusals at so many times the level of accepted attempts are about how many there are at once. Less is chance: a burst
 * has all levels in it, and the means are those of a few refusals.
 */
const HIGHER = 1.6;
/** Records that were refused and not accepted yet: the oldest are forgotten. */
const RECORDS_MAX = 10_000;

/** A record whose last attempt was refused. */
interface Refused {
  readonly inARow: number;
  /** How many attempts had been accepted by then. */
  readonly accepted: number;
}

/** A refused attempt. */
export interface RefusedAttempt {
  /** Attempts on their way when it left. */
  readonly level: number;
  /** How many attempts had left when it was refused. */
  readonly started: number;
  /** `Retry-After`, in ms. */
  readonly askedMs: number | undefined;
  readonly nowMs: number;
}

/**
 * Tells refusals apart by what happens to the same record's next attempt, and to others meanwhile. A provider that is
 * full refuses whoever comes: the next attempt is accepted as often as any other. A tenant's quota refuses the same
 * records again, and while it asks for a long wait, others are accepted, at any level.
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
  /** The latest long wait that was asked for: attempts that leave after it and before its end say whether it is for all. */
  #wait: { readonly after: number; readonly untilMs: number } | undefined;
  /** Share of long waits that others disproved. */
  #disproved = 0;
  /** The levels of the latest attempts, those accepted and those refused. */
  readonly #acceptedLevels = new Mean();
  readonly #refusedLevels = new Mean();

  /** Whether a record's last attempt was refused. */
  hasRefused(key: string | undefined): boolean {
    return key !== undefined && this.#refused.has(key);
  }

  /** An attempt was refused. Says whether that is the record's own affair. */
  recordRefused(key: string | undefined, attempt: RefusedAttempt): boolean {
    const before = key === undefined ? undefined : this.#refused.get(key);
    this.#record(before, 1);
    if (key !== undefined) this.#remember(key, (before?.inARow ?? 0) + 1);
    this.#recordLevel(attempt.level, this.#refusedLevels, this.#acceptedLevels);
    const own = this.#isOwn(before) || this.#isDisproved(attempt);
    this.#hear(attempt);
    if (!own) this.#acceptedAtLast = this.#accepted;
    return own;
  }

  /** An attempt was accepted: which of all it is, when it left, and how many were on their way then. */
  recordAccepted(
    key: string | undefined,
    { number, sentMs, level }: Pick<AttemptInFlight, "number" | "sentMs" | "level">,
  ): void {
    this.#accepted += 1;
    this.#recordLevel(level, this.#acceptedLevels, this.#refusedLevels);
    if (this.#wait !== undefined && number > this.#wait.after) {
      if (sentMs < this.#wait.untilMs - ROUNDING_MS) this.#disproved += (1 - this.#disproved) * WAIT_WEIGHT;
      this.#wait = undefined;
    }
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

  /** Whether such waits are not for all, and refusals do not come where there are many. */
  #isDisproved({ askedMs = 0 }: RefusedAttempt): boolean {
    return askedMs >= DISPROVABLE_MS && this.#disproved >= 0.5 && this.#first < OVERLOAD_SHARE &&
      this.#refusedLevels.mean <= this.#acceptedLevels.mean * HIGHER;
  }

  /** Both grow old with every attempt, so that they are about the same time. */
  #recordLevel(level: number, its: Mean, others: Mean): void {
    its.age();
    others.age();
    its.add(level);
  }

  #hear({ askedMs = 0, started, nowMs }: RefusedAttempt): void {
    if (this.#wait !== undefined && nowMs < this.#wait.untilMs) return;
    // Nobody was accepted in all of it: it was for all.
    if (this.#wait !== undefined) this.#disproved -= this.#disproved * WAIT_WEIGHT;
    this.#wait = askedMs >= DISPROVABLE_MS ? { after: started, untilMs: nowMs + askedMs } : undefined;
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

/** A mean in which older values count less. */
class Mean {
  #sum = 0;
  #weight = 0;

  get mean(): number {
    return this.#weight === 0 ? 0 : this.#sum / this.#weight;
  }

  age(): void {
    this.#sum *= 1 - LEVEL_WEIGHT;
    this.#weight *= 1 - LEVEL_WEIGHT;
  }

  add(value: number): void {
    this.#sum += value;
    this.#weight += 1;
  }
}
