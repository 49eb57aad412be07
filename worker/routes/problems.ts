// GET /problems/{slug}: the page a problem's `type` leads to.

import { z } from "zod";
import { problem, PROBLEMS, type ProblemSlug } from "../http/problems.ts";
import { json, problems, type Route } from "../http/route.ts";

/** What a page says. */
export const problemPageSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  about: z.string(),
});

/** The page a problem's `type` leads to. */
export function problemsRoute(): Route {
  return {
    method: "GET",
    path: "/problems/:slug",
    scope: null,
    operation: {
      operationId: "problem",
      summary: "What a kind of problem means and what to do about it",
      tags: ["problems"],
      requestParams: { path: z.object({ slug: z.enum(Object.keys(PROBLEMS)) }) },
      responses: { "200": json("The page", problemPageSchema), ...problems("not-found") },
    },
    handle: (context) => {
      const slug = context.req.param("slug") ?? "";
      if (!isSlug(slug)) return problem("not-found", "There is no such kind of problem");
      return Response.json({ type: `/problems/${slug}`, ...PROBLEMS[slug] });
    },
  };
}

function isSlug(slug: string): slug is ProblemSlug {
  return Object.hasOwn(PROBLEMS, slug);
}
