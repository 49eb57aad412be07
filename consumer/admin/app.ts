// The operator's HTTP side: health and metrics.

import { Hono } from "hono";
import type { Registry } from "prom-client";
import { type Cause, readinessResponse } from "../../shared/health.ts";
import { problemResponse } from "../../shared/problem.ts";

/** What the admin side shows. */
export interface AdminDeps {
  readonly causes: () => readonly Cause[];
  readonly registry: Registry;
}

/** The admin application, for `ADMIN_PORT`. */
export function createAdmin({ causes, registry }: AdminDeps): Hono {
  const app = new Hono();
  app.get("/livez", (c) => c.json({ status: "alive" }));
  app.get("/readyz", () => readinessResponse(causes()));
  app.get(
    "/metrics",
    async (c) => c.body(await registry.metrics(), 200, { "content-type": registry.contentType }),
  );
  app.notFound((c) =>
    problemResponse({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail: `There is no ${c.req.path}. Try /livez, /readyz or /metrics.`,
    })
  );
  return app;
}
