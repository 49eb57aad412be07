// Record of one decision about a ticket: a counter and a log line that names the ticket and never its text.

import type { Logger } from "@logtape/logtape";
import type { TicketId } from "../../shared/ticket.ts";
import type { Classification } from "../labelling/classify.ts";
import type { Metrics } from "../metrics.ts";

/** Where decisions are recorded. */
export interface DecisionSinks {
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** `classified` where the ticket's row was written, `classified_ad_hoc` without an id, otherwise the outcome. */
export function recordDecision(
  { metrics, log }: DecisionSinks,
  ticketId: TicketId | undefined,
  { outcome, category, label, written, paidNow }: Classification & { kind: "answered" },
  ms: number,
  traceparent: string | undefined,
): void {
  metrics.labels.inc({ category, outcome });
  const traceId = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? "")?.[1];
  log.info(written ? "classified" : ticketId === undefined ? "classified_ad_hoc" : outcome, {
    ...(ticketId === undefined ? {} : { ticket_id: ticketId }),
    category,
    outcome,
    paid_now: paidNow,
    ...(typeof label?.confidence === "number" ? { confidence: label.confidence } : {}),
    ms,
    ...(traceId === undefined ? {} : { trace_id: traceId }),
  });
}
