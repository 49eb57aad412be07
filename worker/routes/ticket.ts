// GET /tickets/{id}: the label a ticket carries, and every label it ever carried.

import { z } from "zod";
import type { ReviewStore, TicketRecord } from "../core/review_store.ts";
import { reviewFailureResponse } from "../http/failure_responses.ts";
import { problem } from "../http/problems.ts";
import { json, problems, type Route } from "../http/route.ts";

const historySchema = z.object({
  category: z.string(),
  confidence: z.number().nullable(),
  source: z.enum(["model", "human"]),
  label_version: z.string().nullable(),
  decided_by: z.string().meta({ description: "The model, or who overrode it" }),
  reason: z.string().nullable(),
  at: z.string(),
});

const ticketRecordSchema = z.object({
  ticket_id: z.string(),
  category: z.string().nullable().meta({ description: "What the ticket's row says" }),
  classified_at: z.string().nullable(),
  overridden_by: z.string().nullable(),
  confidence: z.number().nullable(),
  reason: z.string().nullable(),
  language: z.string().nullable(),
  model: z.string().nullable(),
  label_version: z.string().nullable(),
  history: z.array(historySchema).meta({ description: "Newest first" }),
}).meta({ id: "TicketRecord" });

/** The label a ticket carries, and every label it ever carried. */
export function ticketRoute(reviews: ReviewStore): Route {
  return {
    method: "GET",
    path: "/tickets/:id",
    scope: "read",
    operation: {
      operationId: "ticket",
      summary: "A ticket's label and its history",
      tags: ["tickets"],
      requestParams: { path: z.object({ id: z.string() }) },
      responses: {
        "200": json("The label", ticketRecordSchema),
        ...problems(
          "unauthorized",
          "forbidden",
          "ticket-not-found",
          "not-found",
          "database-unreachable",
          "database-misconfigured",
          "internal-error",
        ),
      },
    },
    handle: async (context) => {
      const id = context.req.param("id") ?? "";
      const record = await reviews.read(id);
      return record.kind === "found" ? Response.json(bodyOf(id, record)) : failed(record);
    },
  };
}

function bodyOf(id: string, record: TicketRecord & { kind: "found" }): z.infer<typeof ticketRecordSchema> {
  const label = record.current?.label;
  return {
    ticket_id: id,
    category: record.category,
    classified_at: record.classifiedAt,
    overridden_by: record.overriddenBy,
    confidence: label?.confidence ?? null,
    reason: label?.reason ?? null,
    language: label?.language ?? null,
    model: label?.model ?? null,
    label_version: label?.labelVersion ?? null,
    history: record.history.map(({ labelVersion, decidedBy, ...entry }) => ({
      ...entry,
      label_version: labelVersion,
      decided_by: decidedBy,
    })),
  };
}

function failed(record: Exclude<TicketRecord, { kind: "found" }>): Response {
  if (record.kind === "failed") return reviewFailureResponse(record);
  return problem("ticket-not-found", "The tickets table has no row with this id");
}
