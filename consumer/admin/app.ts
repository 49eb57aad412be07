// The operator's HTTP side: health, metrics and scale.

import { Hono } from "hono";
import type { Registry } from "prom-client";
import { type Cause, readinessResponse } from "../../shared/health.ts";
import { problemResponse } from "../../shared/problem.ts";
import type { Scale } from "./scale.ts";

/** What the admin side shows. */
export interface AdminDeps {
  readonly causes: () => readonly Cause[];
  readonly registry: Registry;
  readonly scale: () => Scale;
}

/** The admin application, for `ADMIN_PORT`. */
export function createAdmin({ causes, registry, scale }: AdminDeps): Hono {
  const app = new Hono();
  app.get("/livez", (c) => c.json({ status: "alive" }));
  app.get("/readyz", () => readinessResponse(causes()));
  app.get(
    "/metrics",
    async (c) => c.body(await registry.metrics(), 200, { "content-type": registry.contentType }),
  );
  app.get("/scale", (c) => c.json(scale()));
  app.notFound((c) =>
    problemResponse({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail: `There is no ${c.req.path}. Try /livez, /readyz, /metrics or /scale.`,
    })
  );
  return app;
}
