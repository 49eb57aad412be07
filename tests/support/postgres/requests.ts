// Labels, events and store requests for tests, each with what the test cares about and defaults for the rest.

import type { TicketEvent } from "../../../worker/core/fence.ts";
import type { Label } from "../../../worker/core/label.ts";
import type { BeginRequest, FinishRequest, ReleaseRequest } from "../../../worker/core/label_store.ts";

/** An event at this offset of partition 0 of `support-tickets`. */
export function eventAt(offset: number, atMs = 1_000, partition = 0, topic = "support-tickets"): TicketEvent {
  return { position: { topic, partition, offset: BigInt(offset) }, atMs };
}

/** A label with this category. */
export function labelOf(category: string, rest: Partial<Label> = {}): Label {
  return {
    category,
    confidence: 0.9,
    reason: "It says so.",
    language: "en",
    model: "stub",
    labelVersion: "stub:1",
    inputTokens: 400,
    outputTokens: 30,
    costUsd: 0.001,
    truncated: false,
    ...rest,
  };
}

/** A request for a ticket's label. */
export function beginRequest(ticketId: string, event: TicketEvent, contentHash = "content"): BeginRequest {
  return {
    key: { ticketId, contentHash, labelVersion: "stub:1" },
    event,
    claim: crypto.randomUUID(),
    callsMax: 6,
  };
}

/** The end of a request without a label. */
export function releaseRequest(begun: BeginRequest, failedCalls = 0): ReleaseRequest {
  return { ...begun, failedCalls };
}

/** The write that ends a request. */
export function finishRequest(begun: BeginRequest, category: string, fresh = true): FinishRequest {
  return { ...begun, label: labelOf(category, { labelVersion: begun.key.labelVersion }), fresh };
}
