// What the store's statements take, from the core's types to the columns of one JSON array.

import type { BeginRequest, FinishRequest } from "../core/label_store.ts";

/** Requests as the one parameter of a statement; `ord` finds the request of a row again. */
export function itemsOf(requests: readonly (BeginRequest | FinishRequest)[]): string {
  return JSON.stringify(
    requests.map((request, ord) => "label" in request ? finishItem(request, ord) : beginItem(request, ord)),
  );
}

function beginItem({ key, event: { position, atMs }, claim }: BeginRequest, ord: number) {
  return {
    ord,
    ticket_id: key.ticketId,
    content_hash: key.contentHash,
    label_version: key.labelVersion,
    claim,
    topic: position?.topic,
    partition: position?.partition,
    record_offset: position?.offset.toString(),
    event_at_ms: atMs,
  };
}

/** Written out, since objects put together from others cost several times as much, and this is done for every ticket. */
function finishItem({ key, event: { position, atMs }, claim, fresh, label }: FinishRequest, ord: number) {
  return {
    ord,
    ticket_id: key.ticketId,
    content_hash: key.contentHash,
    label_version: key.labelVersion,
    claim,
    topic: position?.topic,
    partition: position?.partition,
    record_offset: position?.offset.toString(),
    event_at_ms: atMs,
    fresh,
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
