// The operator's HTTP side: health, metrics, scale and dead letters.

import { Hono } from "hono";
import type { Registry } from "prom-client";
import { type Cause, readinessResponse } from "../../shared/http/health.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { accessCheck, atMost, smallBodies } from "./access.ts";
import { type DeadLetterCommands, deadLetterRoutes } from "./dead_letters.ts";
import { parkedRoutes } from "./parked_keys.ts";
import type { MachineView } from "../core/view.ts";
import { type RecordCommands, recordRoutes } from "./records.ts";
import type { Scale } from "../core/scale.ts";

/** What anybody may see: counts and causes. */
export interface HealthDeps {
  readonly causes: () => readonly Cause[];
  /** What an operator should know and nothing waits for, for `/readyz?verbose`. */
  readonly notes?: () => readonly string[];
  readonly registry: Registry;
  readonly scale: () => Scale;
}

/** What the operator's side shows besides. */
export interface AdminDeps extends HealthDeps {
  /** `ADMIN_TOKEN`; without one only this machine may ask. */
  readonly token?: string | undefined;
  readonly deadLetters?: DeadLetterCommands;
  readonly records?: RecordCommands;
  readonly parked?: () => MachineView;
}

/** Health, metrics and scale, for `HEALTH_PORT`: nothing of a ticket, and nothing that changes anything. */
export function createHealth({ causes, notes, registry, scale }: HealthDeps): Hono {
  const app = new Hono();
  app.get("/livez", (c) => c.json({ status: "alive" }));
  app.get(
    "/readyz",
    (c) =>
      readinessResponse(causes(), c.req.query("verbose") === undefined ? {} : { notes: notes?.() ?? [] }),
  );
  app.get(
    "/metrics",
    async (c) => c.body(await registry.metrics(), 200, { "content-type": registry.contentType }),
  );
  app.get("/scale", (c) => c.json(scale()));
  app.notFound((c) => notFound(c.req.path, "/livez, /readyz, /metrics and /scale"));
  return app;
}

/** The same and what is for operators alone, for `ADMIN_PORT`. */
export function createAdmin({ token, deadLetters, records, parked, ...health }: AdminDeps): Hono {
  const app = createHealth(health);
  for (const path of ["/dead-letters", "/records", "/parked"]) {
    for (const each of [path, `${path}/*`]) app.use(each, accessCheck(token), smallBodies);
  }
  app.get("/dead-letters", atMost());
  app.get("/dead-letters/:topic/*", atMost());
  if (deadLetters !== undefined) app.route("/dead-letters", deadLetterRoutes(deadLetters));
  if (records !== undefined) app.route("/records", recordRoutes(records));
  if (parked !== undefined) app.route("/parked", parkedRoutes(parked));
  app.notFound((c) =>
    notFound(c.req.path, "/livez, /readyz, /metrics, /scale, /dead-letters, /parked or /records")
  );
  return app;
}

function notFound(path: string, instead: string): Response {
  const detail = `There is no ${path}. Try ${instead}.`;
  return problemResponse({ type: "about:blank", title: "Not Found", status: 404, detail });
}
