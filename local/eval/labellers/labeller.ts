// The port that an evaluation labels tickets through. Types alone.

import type { JudgedTicket } from "../labelled_file.ts";

/** A label, and what is known about it. */
export interface GivenLabel {
  readonly kind: "labelled";
  readonly category: string;
  /** 0..1; null where the subject does not say. */
  readonly confidence: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars; null where the price is not known. */
  readonly costUsd: number | null;
}

/** One call's end: a label, a request to come back, or none at all. `reason` never holds ticket text. */
export type LabelAttempt =
  | GivenLabel
  | { readonly kind: "wait"; readonly waitMs: number; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

/** Something that labels tickets. */
export interface Labeller {
  /** The labels it can give; undefined where that is not known. */
  readonly labels?: readonly string[];
  readonly label: (ticket: JudgedTicket, signal: AbortSignal) => Promise<LabelAttempt>;
  readonly close: () => Promise<void>;
}
