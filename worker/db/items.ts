// What the store's statements take, from the core's types to the columns of one JSON array.

import type { TicketEvent } from "../core/fence.ts";
import type { Label } from "../core/label.ts";
import type { BeginRequest, FinishRequest } from "../core/store.ts";

/** Requests as the one parameter of a statement; `ord` finds the request of a row again. */
export function itemsOf(requests: readonly (BeginRequest | FinishRequest)[]): string {
  return JSON.stringify(requests.map((request, ord) => ({
    ord,
    ticket_id: request.key.ticketId,
    content_hash: request.key.contentHash,
    label_version: request.key.labelVersion,
    claim: request.claim,
    ...eventColumns(request.event),
    ...("label" in request ? { fresh: request.fresh, ...labelColumns(request.label) } : {}),
  })));
}

function eventColumns({ position, atMs }: TicketEvent) {
  return {
    topic: position?.topic ?? null,
    partition: position?.partition ?? null,
    record_offset: position?.offset.toString() ?? null,
    event_at_ms: atMs,
  };
}

function labelColumns(label: Label) {
  return {
    category: label.category,
    confidence: label.confidence,
    reason: label.reason,
    language: label.language,
    model: label.model,
    input_tokens: label.inputTokens,
    output_tokens: label.outputTokens,
    cost_usd: label.costUsd,
    truncated: label.truncated,
  };
}
