// DELETE /tickets/{id}/label: takes a human's decision back, so that the model's label counts again.

import type { Context } from "hono";
import { z } from "zod";
import type { ReviewStore } from "../core/review_store.ts";
import { reviewFailureResponse } from "../http/failure_responses.ts";
import { invalidRequest, problem } from "../http/problems.ts";
import { json, problems, type Route } from "../http/route.ts";
import type { DecisionSinks } from "./decision_log.ts";
import { plainLine } from "./override.ts";

/** What the route works with. */
export interface UndoOverrideDeps extends DecisionSinks {
  readonly reviews: ReviewStore;
}

const querySchema = z.object({ by: plainLine(200).meta({ description: "Who takes it back" }) });

const undoneSchema = z.object({
  ticket_id: z.string(),
  category: z.string().nullable().meta({
    description: "What the ticket's row says now: the model's label, null where it has given none",
  }),
  undone: z.boolean().meta({ description: "False where nobody had overridden the label" }),
});

/** Takes a human's decision back; again and again is as good as once. */
export function undoOverrideRoute(deps: UndoOverrideDeps): Route {
  return {
    method: "DELETE",
    path: "/tickets/:id/label",
    scope: "override",
    operation: {
      operationId: "undoOverride",
      summary: "Takes an override back",
      description:
        "The model's last label counts again, and automatic labels may follow. A text that changed meanwhile is " +
        "labelled when it comes again.",
      tags: ["tickets"],
      requestParams: { path: z.object({ id: z.string() }), query: querySchema },
      responses: {
        "200": json("It is taken back", undoneSchema),
        ...problems(
          "invalid-request",
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
    handle: (context) => handle(deps, context),
  };
}

async function handle({ reviews, log }: UndoOverrideDeps, context: Context): Promise<Response> {
  const query = querySchema.safeParse({ by: context.req.query("by") });
  if (!query.success) return invalidRequest(query.error);
  const ticketId = context.req.param("id") ?? "";
  const undone = await reviews.undo(ticketId, query.data.by.toWellFormed());
  if (undone.kind === "failed") return reviewFailureResponse(undone);
  if (undone.kind === "not_found") {
    return problem("ticket-not-found", "The tickets table has no row with this id");
  }
  const { category } = undone;
  if (undone.undone) log.info("override_undone", { ticket_id: ticketId, category });
  return Response.json({ ticket_id: ticketId, category, undone: undone.undone });
}
