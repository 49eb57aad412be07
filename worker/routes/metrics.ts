// GET /metrics: counters and histograms in Prometheus's text format.

import type { Registry } from "prom-client";
import type { Route } from "../http/route.ts";

/** See the first line. */
export function metricsRoute(registry: Registry): Route {
  return {
    method: "GET",
    path: "/metrics",
    open: true,
    handle: async () =>
      new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } }),
  };
}
