// Decision: what has become of a record, for those who watch live. Nothing of what is in it.

/** What becomes of records. */
export const DECISION_KINDS = ["settled", "retrying", "dead-lettered"] as const;

/** One decision about one record. */
export interface Decision {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: typeof DECISION_KINDS[number];
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Attempts made of it. */
  readonly attempt: number;
  /** What the last one came to; null where none was made. */
  readonly last: string | null;
  /** What the worker said then, in a line, and which it was; null where it said nothing. */
  readonly said: string | null;
  /** Why it is a dead letter, or for how long it waits. */
  readonly why: string | null;
}
