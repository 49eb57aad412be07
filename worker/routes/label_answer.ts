// A label as the worker answers it.

import { z } from "zod";
import { type TicketId, ticketIdSchema } from "../../shared/ticket.ts";
import type { Classification } from "../labelling/classify.ts";

/** The answer's shape: what OpenAPI shows. */
export const answerSchema = z.object({
  ticket_id: ticketIdSchema.nullable(),
  category: z.string().meta({ description: "One of the taxonomy" }),
  confidence: z.number().min(0).max(1).nullable().meta({
    description: "From the tokens' log-probabilities; null where the provider gives none",
  }),
  outcome: z.enum(["classified", "known", "stale", "overridden"]).meta({
    description:
      "`classified` now, `known` because it was paid for before, `stale` because a newer event wrote the label, " +
      "`overridden` by a human",
  }),
  reason: z.string().nullable(),
  language: z.string().nullable(),
  model: z.string().nullable(),
  label_version: z.string().nullable(),
  tokens: z.object({ input: z.number().int(), output: z.number().int() }).nullable(),
  cost_usd: z.number().nullable(),
  paid: z.enum(["now", "before"]).nullable().meta({ description: "When the label was paid for" }),
  truncated: z.boolean(),
}).meta({ id: "Label" });

/** See {@link answerSchema}. */
export type Answer = z.infer<typeof answerSchema>;

/** A classification as its answer. A human's override has no model, tokens or price. */
export function answerOf(
  ticketId: TicketId | undefined,
  { category, outcome, label, paidNow }: Classification & { kind: "answered" },
): Answer {
  return {
    ticket_id: ticketId ?? null,
    category,
    confidence: label?.confidence ?? null,
    outcome,
    reason: label?.reason ?? null,
    language: label?.language ?? null,
    model: label?.model ?? null,
    label_version: label?.labelVersion ?? null,
    tokens: label === undefined ? null : { input: label.inputTokens, output: label.outputTokens },
    cost_usd: label?.costUsd ?? null,
    paid: paidNow ? "now" : label === undefined ? null : "before",
    truncated: label?.truncated ?? false,
  };
}
