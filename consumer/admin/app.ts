// The admin application: health, metrics, scale and dead letters over HTTP.

import { type Context, Hono } from "hono";
import type { Registry } from "prom-client";
import { type Cause, readinessResponse } from "../../shared/http/health.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { logger } from "../../shared/log.ts";
import { type Entry, startPage } from "../../shared/http/start_page.ts";
import { assetRoutes } from "../../shared/page/assets.ts";
import { pageHeaders } from "../../shared/page/headers.ts";
import { loginRoutes } from "../../shared/page/login.tsx";
import { PAGE_ASSETS } from "../page/assets.ts";
import { type PageDeps, pageRoutes } from "../page/routes.tsx";
import { accessCheck, atMost, loginConfig, ownPages, smallBodies } from "./access.ts";
import { type DeadLetterCommands, deadLetterRoutes } from "./dead_letters.ts";
import { parkedRoutes } from "./parked_keys.ts";
import type { MachineView } from "../core/view.ts";
import { type FlowCommands, flowRoutes } from "./flow.ts";
import { type RecordCommands, recordRoutes } from "./records.ts";
import type { Scale } from "../core/scale.ts";
import type { WhyJson } from "../core/why/why.ts";
import { type TailDeps, tailRoutes } from "./tail.ts";
import { whyRoutes } from "./why.ts";

const log = logger("consumer");

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
  readonly why?: () => WhyJson;
  readonly tail?: TailDeps;
  readonly flow?: FlowCommands;
  readonly page?: PageDeps;
}

const HEALTH_ENTRIES: readonly Entry[] = [
  ["GET /readyz?verbose", "whether delivery goes on, or what holds it up"],
  ["GET /metrics", "counters and gauges for Prometheus"],
  ["GET /scale", "the backlog, and how many worker replicas it needs"],
  ["GET /livez", "the process answers"],
];
const OPERATOR_ENTRIES: readonly Entry[] = [
  ["GET /why", "what it waits for: one sentence and eleven checks; deno task why prints them"],
  ["GET /tail", "what becomes of each record, live; deno task tail prints it"],
  ["GET /flow", "what is paused and limited; POST /flow/pause, /resume, /rate and /pool change it"],
  ["GET /dead-letters", "dead letters; deno task dlq shows, replays and drops them"],
  ["GET /parked", "keys whose records wait behind a dead letter"],
  [
    "POST /records/{topic}/{partition}/{offset}/dead-letter",
    "moves a record that never succeeds to the dead letters",
  ],
];

/** Health, metrics and scale, for `HEALTH_PORT`: nothing of a ticket, and nothing that changes anything. */
export function createHealth(deps: HealthDeps, others: readonly Entry[] = []): Hono {
  const app = new Hono();
  app.get(
    "/",
    () =>
      startPage("Ackpool consumer", "Reads Kafka, sends records to the workers, commits what is settled.", [
        ...HEALTH_ENTRIES,
        ...others,
      ]),
  );
  app.route("/", healthRoutes(deps));
  app.notFound((c) => notFound(c.req.path, "/livez, /readyz, /metrics and /scale"));
  return app;
}

function healthRoutes({ causes, notes, registry, scale }: HealthDeps): Hono {
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
  return app;
}

/** The same and what is for operators alone, for `ADMIN_PORT`. */
export function createAdmin(
  { token, deadLetters, records, parked, why, flow, page, tail, ...health }: AdminDeps,
): Hono {
  const app = page === undefined
    ? createHealth(health, OPERATOR_ENTRIES)
    : adminWithPage(health, page, token);
  for (const path of ["/dead-letters", "/records", "/parked", "/why", "/flow", "/tail"]) {
    for (const each of [path, `${path}/*`]) app.use(each, accessCheck(token), smallBodies);
  }
  app.get("/dead-letters", atMost());
  app.get("/dead-letters/:topic/*", atMost());
  app.onError(failed);
  if (deadLetters !== undefined) app.route("/dead-letters", deadLetterRoutes(deadLetters));
  if (records !== undefined) app.route("/records", recordRoutes(records));
  if (parked !== undefined) app.route("/parked", parkedRoutes(parked));
  if (why !== undefined) app.route("/why", whyRoutes(why));
  if (tail !== undefined) app.route("/tail", tailRoutes(tail));
  if (flow !== undefined) app.route("/flow", flowRoutes(flow));
  app.notFound((c) =>
    notFound(
      c.req.path,
      "/livez, /readyz, /metrics, /scale, /why, /tail, /flow, /dead-letters, /parked or /records",
    )
  );
  return app;
}

/** The page needs its assets and the way to log in before anybody has logged in. */
function adminWithPage(health: HealthDeps, page: PageDeps, token: string | undefined): Hono {
  const app = new Hono();
  app.route("/", healthRoutes(health));
  app.use("/page/assets/*", pageHeaders);
  app.route("/", assetRoutes(PAGE_ASSETS));
  for (const path of ["/login", "/logout"]) app.use(path, pageHeaders, ownPages, smallBodies);
  app.route("/", loginRoutes(loginConfig(token)));
  for (const path of ["/", "/page/*", "/state", "/state/*"]) app.use(path, accessCheck(token));
  app.route("/", pageRoutes(page));
  return app;
}

/** A `Host` that makes no URL fails where the URL is asked for. Everything else is a bug of ours. */
function failed({ name, message, stack }: Error, c: Context): Response {
  if (!URL.canParse(c.req.url)) {
    return problemResponse({
      type: "/problems/bad-request",
      title: "Bad Request",
      status: 400,
      detail: "The Host header or the path is not valid",
    });
  }
  log.error("crashed", { route: c.req.path, error: name, detail: message, stack });
  return problemResponse({ type: "/problems/internal", title: "Internal Server Error", status: 500 });
}

function notFound(path: string, instead: string): Response {
  const detail = `There is no ${path}. Try ${instead}.`;
  return problemResponse({ type: "about:blank", title: "Not Found", status: 404, detail });
}
