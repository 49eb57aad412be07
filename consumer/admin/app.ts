// The operator's HTTP side: health, metrics, scale and dead letters.

import { Hono } from "hono";
import type { Registry } from "prom-client";
import { type Cause, readinessResponse } from "../../shared/http/health.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { type DeadLetterCommands, deadLetterRoutes } from "./dead_letters.ts";
import { parkedRoutes } from "./parked_keys.ts";
import type { MachineView } from "../core/view.ts";
import { type RecordOperations, recordRoutes } from "./records.ts";
import type { Scale } from "../core/scale.ts";

/** What the admin side shows. */
export interface AdminDeps {
  readonly causes: () => readonly Cause[];
  /** What an operator should know and nothing waits for, for `/readyz?verbose`. */
  readonly notes?: () => readonly string[];
  readonly registry: Registry;
  readonly scale: () => Scale;
  readonly deadLetters?: DeadLetterCommands;
  readonly records?: RecordOperations;
  readonly parked?: () => MachineView;
}

/** The admin application, for `ADMIN_PORT`. */
export function createAdmin(
  { causes, notes, registry, scale, deadLetters, records, parked }: AdminDeps,
): Hono {
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
  if (deadLetters !== undefined) app.route("/dead-letters", deadLetterRoutes(deadLetters));
  if (records !== undefined) app.route("/records", recordRoutes(records));
  if (parked !== undefined) app.route("/parked", parkedRoutes(parked));
  app.notFound((c) =>
    problemResponse({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail:
        `There is no ${c.req.path}. Try /livez, /readyz, /metrics, /scale, /dead-letters, /parked or /records.`,
    })
  );
  return app;
}
