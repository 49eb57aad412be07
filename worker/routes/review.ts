// GET /review: the tickets whose label is too uncertain to go without a human's look, least certain first.

import type { Context } from "hono";
import { z } from "zod";
import { setPageHeaders } from "../../shared/page/headers.ts";
import type { ReviewEntry, ReviewStore } from "../core/review_store.ts";
import { labelNames, type Taxonomy } from "../core/taxonomy.ts";
import { reviewPage } from "../review_page/review_page.tsx";
import { reviewFailureResponse } from "../http/failure_responses.ts";
import { invalidRequest } from "../http/problems.ts";
import { json, problems, type Route } from "../http/route.ts";

/** What the route works with. */
export interface ReviewDeps {
  readonly reviews: ReviewStore;
  /** Confidence below which a ticket is listed, where the caller names no other. */
  readonly reviewBelow: number;
  readonly taxonomy: Taxonomy;
  /** People have logged in, so they may log out. */
  readonly asksForToken: boolean;
}

/** For programs and people alike. */
export const REVIEW_PATH = "/review";
const LIMIT_DEFAULT = 50;
/** Decisions on the page. */
const OVERRIDES_SHOWN = 20;

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
    path: REVIEW_PATH,
    scope: "read",
    operation: {
      operationId: "review",
      summary: "Tickets that a human should look at",
      description:
        "An override takes a ticket off the list, and labels that the taxonomy no longer has are not on it. Browsers get a page to decide on, with what tickets say.",
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

async function handle(deps: ReviewDeps, context: Context): Promise<Response> {
  const { reviews, reviewBelow } = deps;
  const query = querySchema.safeParse({
    below: numeric(context.req.query("below")),
    limit: numeric(context.req.query("limit")),
  });
  if (!query.success) return invalidRequest(query.error);
  const { below = reviewBelow, limit = LIMIT_DEFAULT } = query.data;
  const entries = await reviews.review(below, limit, labelNames(deps.taxonomy));
  if ("kind" in entries) return reviewFailureResponse(entries);
  if (isForPeople(context)) return await page(deps, context, below, entries);
  return Response.json({
    below,
    tickets: entries.map(({ ticketId, at, ...entry }) => ({
      ticket_id: ticketId,
      ...entry,
      labelled_at: at,
    })),
  });
}

/** Browsers ask for HTML; programs get JSON. */
export function isForPeople(context: Context): boolean {
  return (context.req.header("accept") ?? "").includes("text/html");
}

/** A role that may not read tickets can still review: the page says so. */
async function page(
  { reviews, taxonomy, asksForToken }: ReviewDeps,
  context: Context,
  below: number,
  entries: readonly ReviewEntry[],
): Promise<Response> {
  const [texts, reviewed] = await Promise.all([
    reviews.texts(entries.map(({ ticketId }) => ticketId)),
    reviews.reviewed(OVERRIDES_SHOWN),
  ]);
  if ("kind" in reviewed) return reviewFailureResponse(reviewed);
  setPageHeaders(context);
  return context.html(reviewPage({
    entries,
    texts: "kind" in texts ? undefined : texts,
    labels: labelNames(taxonomy),
    below,
    ...reviewed,
    canLogOut: asksForToken,
  }));
}

/** A number where the text is one, in JSON's grammar; anything else stays what it is and is refused by the schema. */
function numeric(text: string | undefined): number | string | undefined {
  return text !== undefined && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
}
