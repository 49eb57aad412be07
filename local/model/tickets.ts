// The labelled tickets the local model learns from, and the split that keeps some of them unseen.

import { z } from "zod";

/** The labels the local model is trained on, in the order its probabilities come in. */
export const TRAINED_LABELS = ["billing", "bug", "feature_request", "account", "other"] as const;

/** One of {@link TRAINED_LABELS}. */
export type TrainedLabel = (typeof TRAINED_LABELS)[number];

/** The text of a ticket, which is all a model may look at. */
export interface TicketText {
  readonly subject: string;
  readonly body: string;
}

const labelledTicketSchema = z.object({
  id: z.string(),
  subject: z.string(),
  body: z.string(),
  category: z.enum(TRAINED_LABELS),
  language: z.string().length(2),
  synthetic: z.literal(true),
});

/** One line of `tickets.jsonl`. */
export type LabelledTicket = z.infer<typeof labelledTicketSchema>;

/** Reads JSON lines; throws a ZodError or SyntaxError on a line that is not a labelled ticket. */
export function parseLabelledTickets(jsonLines: string): readonly LabelledTicket[] {
  return jsonLines.split("\n").filter((line) => line.trim() !== "").map((line) =>
    labelledTicketSchema.parse(JSON.parse(line))
  );
}

/** Where the project's own set lies. */
export const TICKETS_URL = new URL("./tickets.jsonl", import.meta.url);

/** Every fifth ticket by the hash of its id is held out of training, so that the evaluation is honest. */
export function isHeldOut(id: string): boolean {
  return fnv1a(id) % 5 === 0;
}

/** The two sides of the split, in the order of the set. */
export function splitTickets(tickets: readonly LabelledTicket[]): {
  readonly training: readonly LabelledTicket[];
  readonly heldOut: readonly LabelledTicket[];
} {
  return {
    training: tickets.filter(({ id }) => !isHeldOut(id)),
    heldOut: tickets.filter(({ id }) => isHeldOut(id)),
  };
}

/** The FNV-1a hash, 32 bits, over UTF-16 units, with a finishing mix so that its low bits are usable. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
