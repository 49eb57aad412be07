// HeldRecord: a record in delivery, as an operator sees it.

/** A record that is held: received and not settled. */
export interface HeldRecord {
  /** As the machine names it: `ready`, `in_flight`, `waiting`, `judging` or `dead_lettering`. */
  readonly state: string;
  /** Attempts that counted against it. */
  readonly attempts: number;
  /** Attempts made of it. */
  readonly posts: number;
  /** What the last one came to; null before the first. */
  readonly last: string | null;
  /** What the worker said then, in a line; null where it said nothing. */
  readonly said: string | null;
}
