// The label key: ticket, content and label version, under which a label is paid for once.

import { createHash } from "node:crypto";
import type { TicketText } from "./prompt.ts";

/** A label is paid for once under each key. */
export interface LabelKey {
  /** The ticket's id as text, whatever type its column has. */
  readonly ticketId: string;
  /** SHA-256 over subject and body, in hex. */
  readonly contentHash: string;
  readonly labelVersion: string;
}

/** See {@link LabelKey.contentHash}. */
export function contentHash({ subject, body }: TicketText): string {
  return createHash("sha256").update(JSON.stringify([subject, body])).digest("hex");
}
