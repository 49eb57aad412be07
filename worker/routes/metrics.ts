// GET /metrics: counters and histograms in Prometheus's text format.

import { z } from "zod";
import type { Registry } from "prom-client";
import type { Route } from "../http/route.ts";

/** Prometheus's text format. */
export function metricsRoute(registry: Registry): Route {
  return {
    method: "GET",
    path: "/metrics",
    scope: null,
    operation: {
      operationId: "metrics",
      summary: "Counters and histograms for Prometheus",
      tags: ["health"],
      responses: {
        "200": { description: "Text format 0.0.4", content: { "text/plain": { schema: z.string() } } },
      },
    },
    handle: async () =>
      new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } }),
  };
}
