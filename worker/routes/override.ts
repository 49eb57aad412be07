// PUT /tickets/{id}/label: a human's decision, which nothing automatic overwrites.

import type { Context } from "hono";
import { z } from "zod";
import { labelNames, type Taxonomy } from "../core/taxonomy.ts";
import type { ReviewStore } from "../core/review_store.ts";
import { type BodyLimit, readJson } from "../http/body.ts";
import { reviewFailureResponse } from "../http/failure_responses.ts";
import { invalidRequest, problem } from "../http/problems.ts";
import { json, problems, type Route } from "../http/route.ts";
import type { DecisionSinks } from "./decision_log.ts";

/** What the route works with. */
export interface OverrideDeps extends DecisionSinks {
  readonly reviews: ReviewStore;
  readonly taxonomy: Taxonomy;
  readonly bodyLimit: BodyLimit;
}

/** Text that Postgres can store. */
// deno-lint-ignore no-control-regex -- they are what is refused
const NO_CONTROLS = /^[^\u0000-\u001f\u007f]*$/;
/** One line of text of a person. */
export const plainLine = (max: number) =>
  z.string().min(1).max(max).regex(NO_CONTROLS, "has control characters");

const overrideSchema = (taxonomy: Taxonomy) =>
  z.object({
    category: z.enum(labelNames(taxonomy)),
    by: plainLine(200).meta({ description: "Who decides" }),
    reason: plainLine(1_000).optional(),
  });

const overriddenSchema = z.object({
  ticket_id: z.string(),
  category: z.string(),
  overridden_by: z.string(),
  model_category: z.string().nullable().meta({ description: "What the model had said" }),
});

/** A human's decision, which nothing automatic overwrites. */
export function overrideRoute(deps: OverrideDeps): Route {
  const schema = overrideSchema(deps.taxonomy);
  return {
    method: "PUT",
    path: "/tickets/:id/label",
    scope: "override",
    operation: {
      operationId: "override",
      summary: "Overrides a ticket's label by hand",
      description: "Closes the ticket's review. Another override may follow; a model's label may not.",
      tags: ["tickets"],
      requestParams: { path: z.object({ id: z.string() }) },
      requestBody: { required: true, content: { "application/json": { schema } } },
      responses: {
        "200": json("The override is written", overriddenSchema),
        ...problems(
          "not-json",
          "invalid-request",
          "unauthorized",
          "forbidden",
          "ticket-not-found",
          "not-found",
          "body-too-slow",
          "body-too-large",
          "unsupported-media-type",
          "database-unreachable",
          "database-misconfigured",
          "internal-error",
        ),
      },
    },
    handle: (context) => handle(deps, schema, context),
  };
}

async function handle(
  deps: OverrideDeps,
  schema: ReturnType<typeof overrideSchema>,
  context: Context,
): Promise<Response> {
  const body = await readJson(context.req.raw, deps.bodyLimit);
  if (body.kind === "problem") return body.response;
  const asked = schema.safeParse(body.value);
  if (!asked.success) return invalidRequest(asked.error);
  const { category } = asked.data;
  const ticketId = context.req.param("id") ?? "";
  const by = asked.data.by.toWellFormed();
  const written = await deps.reviews.override({
    ticketId,
    category,
    by,
    reason: asked.data.reason?.toWellFormed() ?? null,
  });
  if (written.kind === "failed") return reviewFailureResponse(written);
  if (written.kind === "not_found") {
    return problem("ticket-not-found", "The tickets table has no row with this id");
  }
  const { modelCategory: model_category, first } = written;
  if (first && model_category !== null) {
    deps.metrics.reviewed.inc({ category: model_category, right: String(model_category === category) });
  }
  deps.log.info("overridden_by_hand", { ticket_id: ticketId, category, model_category });
  return Response.json({ ticket_id: ticketId, category, overridden_by: by, model_category });
}
