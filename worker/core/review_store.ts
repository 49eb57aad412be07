// The review store: what people ask about a ticket's label, and what they decide about it.

import type { CurrentLabel, StoreFailure } from "./label_store.ts";

/** A human's decision. Nothing automatic overwrites it; another human may. */
export interface Override {
  readonly ticketId: string;
  /** One of the taxonomy's names. */
  readonly category: string;
  /** Who decided, as they call themselves. */
  readonly by: string;
  readonly reason: string | null;
}

/** How an override ended, after its commit. `modelCategory` is what it replaced or confirmed; null where no model had spoken. */
export type OverrideResult =
  | { readonly kind: "written"; readonly modelCategory: string | null; readonly first: boolean }
  | { readonly kind: "not_found" }
  | StoreFailure;

/** How taking an override back ended. `category`: what the ticket's row says now. */
export type UndoResult =
  | { readonly kind: "written"; readonly undone: boolean; readonly category: string | null }
  | { readonly kind: "not_found" }
  | StoreFailure;

/** One label a ticket has carried. */
export interface HistoryEntry {
  readonly category: string;
  readonly confidence: number | null;
  readonly source: "model" | "human";
  readonly labelVersion: string | null;
  readonly decidedBy: string;
  readonly reason: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** A ticket's label and how it came to it, newest first. */
export type TicketRecord =
  | {
    readonly kind: "found";
    /** Null where nothing has classified the ticket yet. */
    readonly category: string | null;
    readonly classifiedAt: string | null;
    readonly overriddenBy: string | null;
    readonly current: CurrentLabel | undefined;
    readonly history: readonly HistoryEntry[];
  }
  | { readonly kind: "not_found" }
  | StoreFailure;

/** A ticket that a human should look at. */
export interface ReviewEntry {
  readonly ticketId: string;
  readonly category: string;
  readonly confidence: number;
  readonly reason: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** What a ticket says; null where its row or column is gone. */
export interface TicketText {
  readonly subject: string | null;
  readonly body: string | null;
}

/** A label that a human decided. */
export interface OverrideEntry {
  readonly ticketId: string;
  readonly category: string;
  /** What the model says; null where it has not spoken. */
  readonly modelCategory: string | null;
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
}

/** How often humans agreed with one of the model's labels, where they looked. */
export interface LabelAccuracy {
  readonly category: string;
  readonly right: number;
  readonly reviewed: number;
}

/** What humans decided. */
export interface ReviewedLabels {
  /** The latest first. */
  readonly overrides: readonly OverrideEntry[];
  readonly accuracy: readonly LabelAccuracy[];
}

/** Tickets as people see them. No method rejects. */
export interface ReviewStore {
  readonly read: (ticketId: string) => Promise<TicketRecord>;
  readonly override: (override: Override) => Promise<OverrideResult>;
  /** Takes an override back: the model's label counts again. */
  readonly undo: (ticketId: string, by: string) => Promise<UndoResult>;
  /** Labels of these categories below this confidence that nobody has overridden, least confident first. */
  readonly review: (
    below: number,
    limit: number,
    categories: readonly string[],
  ) => Promise<readonly ReviewEntry[] | StoreFailure>;
  /** What tickets say, by id. A role may not be allowed to read it: then it is a failure. */
  readonly texts: (ticketIds: readonly string[]) => Promise<ReadonlyMap<string, TicketText> | StoreFailure>;
  /** @param limit of the overrides. */
  readonly reviewed: (limit: number) => Promise<ReviewedLabels | StoreFailure>;
}
