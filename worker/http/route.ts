// Route: an address, who may use it, what it does, and what OpenAPI says about it.

import type { Context } from "hono";
import type { z } from "zod";
import type { ZodOpenApiOperationObject, ZodOpenApiResponsesObject } from "zod-openapi";
import type { Grant, Scope } from "../../shared/http/bearer_token.ts";
import { PROBLEM_CONTENT_TYPE } from "../../shared/http/problem.ts";
import { PROBLEMS, problemSchema, type ProblemSlug } from "./problems.ts";

/** One method of one path. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** In Hono's syntax, which is also the metrics' label. */
  readonly path: string;
  /** What a token has to allow; null: open to everybody, token or not. */
  readonly scope: Scope | null;
  readonly operation: ZodOpenApiOperationObject;
  readonly handle: (context: Context, grant: Grant) => Response | Promise<Response>;
}

/** A JSON answer, for an operation. */
export function json(description: string, schema: z.ZodType): NonNullable<ZodOpenApiResponsesObject["200"]> {
  return { description, content: { "application/json": { schema } } };
}

/** The responses for these problems, one a status, as OpenAPI wants them. */
export function problems(...slugs: readonly ProblemSlug[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(slugs, (slug) => PROBLEMS[slug].status);
  return Object.fromEntries([...byStatus].map(([status, same]) => [
    String(status),
    {
      description: same.map((slug) => `${PROBLEMS[slug].title} (\`/problems/${slug}\`)`).join("; "),
      content: { [PROBLEM_CONTENT_TYPE]: { schema: problemSchema } },
    },
  ]));
}
