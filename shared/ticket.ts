// A support ticket as it travels: through Kafka as a record's value, over HTTP as the body of `POST /classify`.

import { z } from "zod";

/** A ticket's id: bigint, text and uuid columns are all in use, so a number or a string. */
export const ticketIdSchema = z.union([
  z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  z.string().min(1).max(200),
]);

/** What `POST /classify` takes and `deno task produce` puts into the topic. */
export const ticketSchema = z.object({
  ticket_id: ticketIdSchema.optional(),
  subject: z.string().max(10_000),
  body: z.string(),
});

/** A ticket; without `ticket_id` it is classified and nothing is written. */
export type Ticket = z.infer<typeof ticketSchema>;

/** A ticket's id, as {@link ticketIdSchema} reads it. */
export type TicketId = z.infer<typeof ticketIdSchema>;
