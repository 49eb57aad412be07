// How a ticket becomes the texts that are embedded, and their embeddings one vector: subject beside body. Pure.

import type { TicketText } from "./tickets.ts";

/** How many texts of a ticket are embedded. */
export const TEXTS_PER_TICKET = 2;

/** The texts of a ticket, always {@link TEXTS_PER_TICKET}; a missing subject or body is stood in for by the other. */
export function textsOf({ subject, body }: TicketText): readonly string[] {
  return [subject.trim() === "" ? body : subject, body.trim() === "" ? subject : body];
}

/** The embeddings of {@link textsOf} one after the other, for every ticket in turn. */
export function joinEmbeddings(vectors: readonly Float32Array[]): readonly Float32Array[] {
  return Array.from({ length: vectors.length / TEXTS_PER_TICKET }, (_, ticket) => {
    const parts = vectors.slice(ticket * TEXTS_PER_TICKET, (ticket + 1) * TEXTS_PER_TICKET);
    return Float32Array.from(parts.flatMap((part) => [...part]));
  });
}
