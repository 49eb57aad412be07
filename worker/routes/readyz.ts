// GET /readyz: whether this worker can classify now, and what is in the way.

import { readinessResponse } from "../../shared/health.ts";
import type { Route } from "../http/route.ts";
import type { WorkerReadiness } from "../readiness.ts";

/** See the first line. */
export function readyzRoute(readiness: WorkerReadiness): Route {
  return {
    method: "GET",
    path: "/readyz",
    open: true,
    handle: async () => readinessResponse(await readiness.causes()),
  };
}
