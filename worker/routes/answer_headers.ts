// Headers of a label's answer, for people who watch deliveries: where its time went, and the label. Never ticket text.

import { ResponseHeader } from "../../shared/contract/protocol.ts";
import type { TicketId } from "../../shared/ticket.ts";
import type { Classification } from "../labelling/classify.ts";
import type { Waits } from "../labelling/waits.ts";

/** `Server-Timing` (W3C Server Timing section 2), `Ackpool-Label` and `Ackpool-Ticket-Id`. */
export function answerHeaders(
  ticketId: TicketId | undefined,
  { category, label }: Classification & { kind: "answered" },
  { llmMs, databaseMs }: Pick<Waits, "llmMs" | "databaseMs">,
  totalMs: number,
): Readonly<Record<string, string>> {
  const confidence = label?.confidence ?? null;
  const sure = confidence === null ? "" : `;${Math.round(confidence * 1000) / 1000}`;
  return {
    [ResponseHeader.serverTiming]: `llm;dur=${tenths(llmMs)}, db;dur=${tenths(databaseMs)}, total;dur=${
      tenths(totalMs)
    }`,
    [ResponseHeader.label]: encodeURIComponent(category) + sure,
    ...(ticketId === undefined ? {} : { [ResponseHeader.ticketId]: encodeURIComponent(String(ticketId)) }),
  };
}

const tenths = (ms: number) => Math.round(ms * 10) / 10;
