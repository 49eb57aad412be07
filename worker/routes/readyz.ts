// GET /readyz: whether this worker can classify now, and what is in the way.

import { z } from "zod";
import { readinessResponse } from "../../shared/http/health.ts";
import { json, type Route } from "../http/route.ts";
import type { WorkerReadiness } from "../readiness.ts";

const readinessSchema = z.object({
  status: z.enum(["ready", "not_ready"]),
  causes: z.array(z.object({ name: z.string(), since: z.string(), detail: z.string(), remedy: z.string() })),
}).meta({ id: "Readiness" });

/** Whether this worker can classify now, and what is in the way. */
export function readyzRoute(readiness: WorkerReadiness): Route {
  return {
    method: "GET",
    path: "/readyz",
    scope: null,
    operation: {
      operationId: "readyz",
      summary: "Whether this worker can classify now; asks database and provider",
      tags: ["health"],
      responses: {
        "200": json("Ready", readinessSchema),
        "503": json("Not ready, and why", readinessSchema),
      },
    },
    handle: async () => readinessResponse(await readiness.causes()),
  };
}
