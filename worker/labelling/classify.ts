// Classification of one ticket: ask the store, buy a label if there is none, write it, answer after the commit.

import type { Ticket } from "../../shared/ticket.ts";
import type { TicketEvent } from "../core/fence.ts";
import { contentHash } from "../core/label_key.ts";
import type { Label, LabelOutcome } from "../core/label.ts";
import type { LlmFailure } from "../core/llm.ts";
import type { BeginRequest, BeginResult, LabelStore, StoreFailure } from "../core/label_store.ts";
import type { TicketCalls } from "./ticket_calls.ts";
import type { Labeller } from "./labeller.ts";

/** What classification works with. */
export interface ClassificationDeps {
  readonly labeller: Labeller;
  readonly store: LabelStore;
  /** What one ticket may cost. */
  readonly calls: TicketCalls;
  /** A new UUID for every claim. */
  readonly newClaim: () => string;
  /** Told when a label is claimed that somebody claimed before and neither stored nor released. */
  readonly onRepeatedClaim: () => void;
}

/** One request. */
export interface ClassifyRequest {
  readonly ticket: Ticket;
  readonly event: TicketEvent;
  /** Aborts the LLM call; absent where it is finished whatever the caller does. */
  readonly signal: AbortSignal | undefined;
}

/** What a request came to. */
export type Classification =
  | {
    readonly kind: "answered";
    readonly outcome: LabelOutcome;
    readonly category: string;
    /** Undefined for a human's override. */
    readonly label: Label | undefined;
    /** This request paid for a label. */
    readonly paidNow: boolean;
    /** This request wrote the ticket's row. */
    readonly written: boolean;
  }
  | { readonly kind: "held" }
  | { readonly kind: "not_found" }
  /** Another transaction holds the ticket's row; what was paid for is stored. */
  | { readonly kind: "row_locked" }
  | { readonly kind: "unusable" }
  /** So many paid calls gave no usable label that no more are made. */
  | { readonly kind: "spent"; readonly calls: number; readonly callsMax: number }
  | { readonly kind: "llm_failed"; readonly failure: LlmFailure }
  | { readonly kind: "store_failed"; readonly failure: StoreFailure };

/** A request that was superseded begins again; each time it ends closer to an answer, so few are needed. */
const LOOKS_MAX = 4;

/** Classifies one ticket. */
export async function classify(deps: ClassificationDeps, request: ClassifyRequest): Promise<Classification> {
  const { ticket } = request;
  if (ticket.ticket_id === undefined) return await classifyAdHoc(deps, request);
  const asked: BeginRequest = {
    key: {
      ticketId: String(ticket.ticket_id),
      contentHash: contentHash(ticket),
      labelVersion: deps.labeller.labelVersion,
    },
    event: request.event,
    claim: deps.newClaim(),
    callsMax: deps.calls.max,
  };
  let paidNow = false;
  for (let look = 1; look <= LOOKS_MAX; look++) {
    const begun = await deps.store.begin(asked);
    const ended = begun.kind === "claimed"
      ? await buyAndStore(deps, request, asked, begun)
      : await withoutBuying(deps, asked, begun, paidNow);
    if (ended !== "superseded") return ended;
    paidNow ||= begun.kind === "claimed";
  }
  return { kind: "held" };
}

async function classifyAdHoc(deps: ClassificationDeps, request: ClassifyRequest): Promise<Classification> {
  const bought = await deps.labeller.label(request.ticket, request.signal);
  if (bought.kind !== "labelled") return bought;
  const { label } = bought;
  return {
    kind: "answered",
    outcome: "classified",
    category: label.category,
    label,
    paidNow: true,
    written: false,
  };
}

async function buyAndStore(
  deps: ClassificationDeps,
  request: ClassifyRequest,
  asked: BeginRequest,
  { claims, failedCalls }: BeginResult & { kind: "claimed" },
): Promise<Classification | "superseded"> {
  if (claims > 1) deps.onRepeatedClaim();
  const left = deps.calls.max - failedCalls;
  const bought = await deps.labeller.label(request.ticket, request.signal, left);
  const counted = deps.calls.record(asked.key.ticketId, bought);
  if (bought.kind !== "labelled") {
    await deps.store.release({ ...asked, failedCalls: counted });
    return counted < left ? bought : spent(deps, failedCalls + counted);
  }
  return await store(deps, asked, bought.label, "classified");
}

function spent({ calls: { max } }: ClassificationDeps, calls: number): Classification {
  return { kind: "spent", calls, callsMax: max };
}

async function withoutBuying(
  deps: ClassificationDeps,
  asked: BeginRequest,
  begun: Exclude<BeginResult, { kind: "claimed" }>,
  paidNow: boolean,
): Promise<Classification | "superseded"> {
  switch (begun.kind) {
    case "known":
      if (!begun.applied) return await store(deps, asked, begun.label, "known", paidNow);
      return {
        kind: "answered",
        outcome: "known",
        category: begun.label.category,
        label: begun.label,
        paidNow,
        written: false,
      };
    case "stale":
    case "overridden":
      return { kind: "answered", outcome: begun.kind, ...begun.current, paidNow, written: false };
    case "held":
    case "not_found":
      return { kind: begun.kind };
    case "spent":
      return spent(deps, begun.failedCalls);
    case "failed":
      return { kind: "store_failed", failure: begun };
    default: {
      const impossible: never = begun;
      throw new Error(`Unknown beginning ${JSON.stringify(impossible)}`);
    }
  }
}

async function store(
  deps: ClassificationDeps,
  asked: BeginRequest,
  label: Label,
  outcome: "classified" | "known",
  paidNow = outcome === "classified",
): Promise<Classification | "superseded"> {
  const finished = await deps.store.finish({ ...asked, label, fresh: outcome === "classified" });
  switch (finished.kind) {
    case "written":
      return { kind: "answered", outcome, category: label.category, label, paidNow, written: true };
    case "superseded":
      return "superseded";
    case "not_found":
    case "row_locked":
      return { kind: finished.kind };
    case "failed":
      return { kind: "store_failed", failure: finished };
    default: {
      const impossible: never = finished;
      throw new Error(`Unknown end ${JSON.stringify(impossible)}`);
    }
  }
}
