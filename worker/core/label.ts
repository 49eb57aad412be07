// A label: what a model said about one ticket, checked and priced.

/** What classification found out about a ticket. */
export interface Label {
  /** One of the taxonomy's names. */
  readonly category: string;
  /** 0..1 from token log-probabilities; null where the provider gives none. */
  readonly confidence: number | null;
  /** Why, in the model's words, at most {@link REASON_MAX} characters. */
  readonly reason: string | null;
  /** BCP 47 tag of the ticket's language (RFC 5646). */
  readonly language: string | null;
  /** The model that answered. */
  readonly model: string;
  /** Names model, prompt and taxonomy together: the third part of a label's key. */
  readonly labelVersion: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars; null where the model's price is not known. */
  readonly costUsd: number | null;
  /** The ticket was longer than the token budget, so its middle was left out. */
  readonly truncated: boolean;
}

/** Longest `reason`, in characters. */
export const REASON_MAX = 200;

/** How a request ended well: labelled now, paid for before, overtaken by a newer event, or decided by a human. */
export type LabelOutcome = "classified" | "known" | "stale" | "overridden";
