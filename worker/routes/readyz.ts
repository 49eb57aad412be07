// GET /readyz: whether this worker can classify now, and what is in the way.

import { z } from "zod";
import { readinessResponse } from "../../shared/http/health.ts";
import { offerBatches } from "../../shared/contract/batch_lines.ts";
import { json, type Route } from "../http/route.ts";
import type { Lesson } from "../core/llm.ts";
import type { WorkerReadiness } from "../readiness.ts";

const readinessSchema = z.object({
  status: z.enum(["ready", "not_ready"]),
  causes: z.array(z.object({ name: z.string(), since: z.string(), detail: z.string(), remedy: z.string() })),
  models: z.array(
    z.object({
      model: z.string(),
      feature: z.string(),
      asks: z.string().meta({ description: "What is asked instead" }),
      because: z.string().meta({ description: "What the provider said" }),
      since: z.string(),
    }),
  ).optional().meta({ description: "With `?verbose`: what each model turned out not to take" }),
}).meta({ id: "Readiness" });

/** What the route works with. */
export interface ReadyzDeps {
  readonly readiness: WorkerReadiness;
  readonly lessons: () => readonly Lesson[];
}

/** Whether this worker can classify now, and what is in the way. */
export function readyzRoute({ readiness, lessons }: ReadyzDeps): Route {
  return {
    method: "GET",
    path: "/readyz",
    scope: null,
    operation: {
      operationId: "readyz",
      summary: "Whether this worker can classify now; asks database and provider",
      tags: ["health"],
      requestParams: { query: z.object({ verbose: z.string().optional() }) },
      responses: {
        "200": json("Ready", readinessSchema),
        "503": json("Not ready, and why", readinessSchema),
      },
    },
    handle: async (context) => {
      const verbose = context.req.query("verbose") !== undefined;
      return offerBatches(readinessResponse(await readiness.causes(), verbose ? { models: lessons() } : {}));
    },
  };
}
