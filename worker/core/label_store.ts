// The label store as classification uses it. The Postgres one is in worker/db; one conformance suite tests every one.

import type { TicketEvent } from "./fence.ts";
import type { LabelKey } from "./label_key.ts";
import type { Label } from "./label.ts";

/** One request for a ticket's label, before anything is paid for. */
export interface BeginRequest {
  readonly key: LabelKey;
  readonly event: TicketEvent;
  /** A UUID of this request's own: who holds the claim. */
  readonly claim: string;
  /** Paid calls without a usable label after which no more are paid for. */
  readonly callsMax: number;
}

/** A claim that is given back without a label. */
export interface ReleaseRequest extends BeginRequest {
  /** Calls that were paid for and came to nothing, to be counted against the ticket. */
  readonly failedCalls: number;
}

/** What the store knows about a ticket right now, as an answer needs it. */
export interface CurrentLabel {
  readonly category: string;
  /** The stored label behind the category; undefined for a human's override. */
  readonly label: Label | undefined;
}

/** How a request begins. */
export type BeginResult =
  /** The label is not bought yet and now ours to buy. `claims` counts how often it was claimed without a label coming of it, this one included; `failedCalls` those that were paid for before and came to nothing, a holder's that died among them. */
  | { readonly kind: "claimed"; readonly claims: number; readonly failedCalls: number }
  /** So many calls were paid for without a usable label that no more are. */
  | { readonly kind: "spent"; readonly failedCalls: number }
  /** Somebody else is buying it. */
  | { readonly kind: "held" }
  /** Paid for before. `applied`: the ticket already carries it, for this very event. */
  | { readonly kind: "known"; readonly label: Label; readonly applied: boolean }
  /** A newer event has written the ticket's label. */
  | { readonly kind: "stale"; readonly current: CurrentLabel }
  /** A human has decided. */
  | { readonly kind: "overridden"; readonly current: CurrentLabel }
  | { readonly kind: "not_found" }
  | StoreFailure;

/** A label to write: if it is fresh to the label store, first and for itself; then to the ticket if the fence lets it. */
export interface FinishRequest extends BeginRequest {
  readonly label: Label;
  /** Just paid for, as opposed to known. */
  readonly fresh: boolean;
}

/** How a write ended, after its commit. */
export type FinishResult =
  | { readonly kind: "written" }
  /** The fence, an override or another replica's label kept it from being written: begin again to see which. */
  | { readonly kind: "superseded" }
  | { readonly kind: "not_found" }
  /** Another transaction holds the ticket's row. A fresh label is stored all the same. */
  | { readonly kind: "row_locked" }
  | StoreFailure;

/** The store could not do it. */
export interface StoreFailure {
  readonly kind: "failed";
  readonly cause: StoreFailureCause;
  /** What the database said, for people. Never holds ticket text or secrets. */
  readonly detail: string;
}

/** Why the store could not do it. */
export type StoreFailureCause =
  /** Heals when the database is back. */
  | "unreachable"
  /** A standby, or a database made read-only: heals when one that takes writes answers. */
  | "read_only"
  /** Others held a lock, or won the race, for too long. */
  | "busy"
  /** Needs an operator. */
  | "misconfigured"
  /** The id column cannot hold such an id. */
  | "bad_id"
  | "unexpected";

/** Labels, claims and the fence. No method rejects. */
export interface LabelStore {
  readonly begin: (request: BeginRequest) => Promise<BeginResult>;
  readonly finish: (request: FinishRequest) => Promise<FinishResult>;
  /** Gives a claim back without a label, so that the next attempt need not wait for the lease, and counts what it cost. */
  readonly release: (request: ReleaseRequest) => Promise<void>;
  /** Undefined when the store can be used, tables included. */
  readonly check: () => Promise<StoreFailure | undefined>;
}
