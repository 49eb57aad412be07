// Several tickets in one prompt: each on a line of its own, and an answer that names each by its number.

import { answerIn } from "../answer/answer.ts";
import { answerSchema, lineOf, type Prompt, type TicketText } from "../prompt.ts";
import type { Taxonomy } from "../taxonomy.ts";

/** A ticket of a batch. No ticket can name a neighbour whose number it cannot guess. */
export interface NumberedTicket extends TicketText {
  readonly id: number;
}

const BATCH_RULE = [
  "",
  "There are several tickets, one JSON object a line between <tickets> and </tickets>, each with an id. They have nothing",
  "to do with one another: sort each as if it were alone.",
  'Answer with {"labels": [...]}: for each ticket, in their order, an object as above with the ticket\'s "id" first.',
].join("\n");

/** The prompt for tickets, in the order given. */
export function batchPrompt(system: string, taxonomy: Taxonomy, tickets: readonly NumberedTicket[]): Prompt {
  const lines = tickets.map(({ id, subject, body }) => lineOf({ id, subject, body }));
  return {
    system: `${system}\n${BATCH_RULE}`,
    user: `<tickets>\n${lines.join("\n")}\n</tickets>`,
    schemaName: "ticket_labels",
    schema: batchSchema(taxonomy),
    answers: tickets.length,
  };
}

/** One ticket's part of a batch's answer. */
export interface BatchPart {
  /** The part's own JSON text, as the model wrote it. */
  readonly content: string;
  /** Where it begins in the whole answer. */
  readonly from: number;
}

/** Finds the parts by their ids; an id that is there twice has none. */
export function batchParts(content: string): ReadonlyMap<number, BatchPart> {
  const parts = new Map<number, BatchPart>();
  const seen = new Set<number>();
  for (const { fields, from, to } of answerIn(content)?.objects ?? []) {
    const id = Number(fields["id"] ?? NaN);
    if (!Number.isInteger(id)) continue;
    if (seen.has(id)) parts.delete(id);
    else parts.set(id, { content: content.slice(from, to), from });
    seen.add(id);
  }
  return parts;
}

function batchSchema(taxonomy: Taxonomy): Readonly<Record<string, unknown>> {
  const one = answerSchema(taxonomy);
  const item = {
    ...one,
    properties: { id: { type: "integer" }, ...one.properties },
    required: ["id", ...one.required],
  };
  return {
    type: "object",
    properties: { labels: { type: "array", items: item } },
    required: ["labels"],
    additionalProperties: false,
  };
}
