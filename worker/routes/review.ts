// GET /review: the tickets whose label is too uncertain to go without a human's look, least certain first.

import type { Context } from "hono";
import { z } from "zod";
import type { ReviewStore } from "../core/review_store.ts";
import { reviewFailureResponse } from "../http/failure_responses.ts";
import { invalidRequest } from "../http/problems.ts";
import { json, problems, type Route } from "../http/route.ts";

/** What the route works with. */
export interface ReviewDeps {
  readonly reviews: ReviewStore;
  /** Confidence below which a ticket is listed, where the caller names no other. */
  readonly reviewBelow: number;
}

const LIMIT_DEFAULT = 50;

const querySchema = z.object({
  below: z.number().min(0).max(1).optional(),
  limit: z.number().int().min(1).max(1_000).optional(),
});

const reviewSchema = z.object({
  below: z.number(),
  tickets: z.array(z.object({
    ticket_id: z.string(),
    category: z.string(),
    confidence: z.number(),
    reason: z.string().nullable(),
    labelled_at: z.string(),
  })),
}).meta({ id: "Review" });

/** Tickets whose label is too uncertain to go without a human's look. */
export function reviewRoute(deps: ReviewDeps): Route {
  return {
    method: "GET",
    path: "/review",
    scope: "read",
    operation: {
      operationId: "review",
      summary: "Tickets that a human should look at",
      description: "An override takes a ticket off the list.",
      tags: ["tickets"],
      requestParams: { query: querySchema },
      responses: {
        "200": json("The list", reviewSchema),
        ...problems(
          "invalid-request",
          "unauthorized",
          "forbidden",
          "database-unreachable",
          "database-misconfigured",
          "internal-error",
        ),
      },
    },
    handle: (context) => handle(deps, context),
  };
}

async function handle({ reviews, reviewBelow }: ReviewDeps, context: Context): Promise<Response> {
  const query = querySchema.safeParse({
    below: numeric(context.req.query("below")),
    limit: numeric(context.req.query("limit")),
  });
  if (!query.success) return invalidRequest(query.error);
  const { below = reviewBelow, limit = LIMIT_DEFAULT } = query.data;
  const entries = await reviews.review(below, limit);
  if ("kind" in entries) return reviewFailureResponse(entries);
  return Response.json({
    below,
    tickets: entries.map(({ ticketId, at, ...entry }) => ({
      ticket_id: ticketId,
      ...entry,
      labelled_at: at,
    })),
  });
}

/** A number where the text is one, in JSON's grammar; anything else stays what it is and is refused by the schema. */
function numeric(text: string | undefined): number | string | undefined {
  return text !== undefined && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
}
