// HTTP application of a worker: its routes, who may use them, and what all answers have in common.

import { Hono } from "hono";
import { type Problem, PROBLEM_CONTENT_TYPE } from "../shared/http/problem.ts";
import { problem } from "./http/problems.ts";
import { CLASSIFY_PATH } from "../shared/contract/protocol.ts";
import type { Route } from "./http/route.ts";
import {
  type AccessToken,
  CHALLENGE,
  forbiddenDetail,
  type Grant,
  grantOf,
  scopeChallenge,
  unauthorizedDetail,
} from "../shared/http/bearer_token.ts";
import type { Taxonomy } from "./core/taxonomy.ts";
import type { Lesson } from "./core/llm.ts";
import type { ReviewStore } from "./core/review_store.ts";
import type { WorkerReadiness } from "./readiness.ts";
import { VERSION } from "../shared/version.ts";
import { type Entry, startPage } from "../shared/http/start_page.ts";
import { type ClassifyDeps, classifyRoute } from "./routes/classify.ts";
import { classifyBatchRoute } from "./routes/classify_batch.ts";
import { livezRoute } from "./routes/livez.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { openApiRoutes } from "./routes/openapi.ts";
import { overrideRoute } from "./routes/override.ts";
import { undoOverrideRoute } from "./routes/undo_override.ts";
import { problemsRoute } from "./routes/problems.ts";
import { readyzRoute } from "./routes/readyz.ts";
import { isForPeople, REVIEW_PATH, reviewRoute } from "./routes/review.ts";
import { nameRequest } from "../shared/tracing/spans.ts";
import { assetRoutes } from "../shared/page/assets.ts";
import { pageHeaders } from "../shared/page/headers.ts";
import { loginRoutes } from "../shared/page/login.tsx";
import { loginConfig, ownPages, sessionBearer } from "./http/session.ts";
import { REVIEW_ASSETS } from "./review_page/assets.ts";
import { ticketRoute } from "./routes/ticket.ts";

const ENTRIES: readonly Entry[] = [
  ["GET /docs", "every call with its parameters and answers"],
  ["POST /classify", "labels a ticket"],
  ["GET /review", "tickets whose label is uncertain"],
  ["GET /readyz", "whether this worker can label now, and what is in the way"],
  ["GET /metrics", "counters and histograms for Prometheus"],
];

/** What the application works with. */
export interface AppDeps extends Omit<ClassifyDeps, "draining"> {
  readonly readiness: WorkerReadiness;
  /** What the models turned out not to take. */
  readonly lessons: () => readonly Lesson[];
  /** Each opens the routes of its scopes; none at all opens everything to everybody. */
  readonly tokens: readonly AccessToken[];
  readonly reviews: ReviewStore;
  readonly taxonomy: Taxonomy;
  /** Confidence below which GET /review lists a ticket. */
  readonly reviewBelow: number;
}

/** Builds the application. It owns no socket: `Deno.serve` and tests call its `fetch`. */
export function createApp(deps: AppDeps): Hono {
  const routes = routesOf(deps);
  const grants = grantOf(deps.tokens);
  const login = loginConfig(deps.tokens);
  const app = new Hono();
  for (const route of routes) {
    app.on(route.method, route.path, (context) =>
      measured(deps, route.path, () => {
        nameRequest(route.method, route.path);
        const authorization = context.req.header("authorization") ?? sessionBearer(context, login);
        const grant = grants(authorization) ?? NOTHING;
        const refusal = refusalOf(route, grant, authorization);
        if (refusal?.status === 401 && route.path === REVIEW_PATH && isForPeople(context)) {
          return context.redirect(`/login?next=${encodeURIComponent(REVIEW_PATH)}`, 303);
        }
        return refusal ?? route.handle(context, grant);
      }));
  }
  app.use("/page/assets/*", pageHeaders);
  app.route("/", assetRoutes(REVIEW_ASSETS));
  for (const path of ["/login", "/logout"]) app.use(path, pageHeaders, ownPages);
  app.route("/", loginRoutes(login));
  const unmatched = unmatchedRequests(routes);
  app.notFound((context) => unmatched.fetch(context.req.raw));
  return app;
}

/** Apart from the routes, because Hono chains handlers that fit one request, and a chain costs each of them. */
function unmatchedRequests(routes: readonly Route[]): Hono {
  const app = new Hono();
  for (const path of new Set(routes.map((route) => route.path))) {
    app.all(path, () => methodNotAllowed(routes.filter((route) => route.path === path)));
  }
  app.get("/", () => startPage("Ackpool worker", "One replica: labels tickets.", ENTRIES));
  app.notFound(() =>
    problem("not-found", "There is no such path; GET /livez, /readyz and /metrics are open")
  );
  return app;
}

function routesOf(deps: AppDeps): readonly Route[] {
  const { metrics, readiness, reviews } = deps;
  const classification = { ...deps, draining: () => readiness.draining };
  const routes = [
    classifyRoute(classification),
    classifyBatchRoute({
      ...classification,
      measured: (answer) => measured(deps, CLASSIFY_PATH, answer),
    }),
    ticketRoute(reviews),
    undoOverrideRoute(deps),
    overrideRoute(deps),
    reviewRoute({ ...deps, asksForToken: deps.tokens.length > 0 }),
    livezRoute(),
    readyzRoute(deps),
    metricsRoute(metrics.registry),
    problemsRoute(),
  ];
  return [...routes, ...openApiRoutes(routes, VERSION)];
}

async function measured(
  deps: AppDeps,
  path: string,
  answer: () => Response | Promise<Response>,
): Promise<Response> {
  const startMs = performance.now();
  let response: Response;
  try {
    response = await answer();
  } catch (error) {
    response = crashed(deps, path, error);
  }
  deps.metrics.requests.inc({ route: path, status: String(response.status) });
  deps.metrics.requestSeconds.observe({ route: path }, (performance.now() - startMs) / 1000);
  if (response.status >= 500 || response.status === 403) await reportFailure(deps, path, response);
  return response;
}

const NOTHING: Grant = { scopes: new Set(), bearer: undefined };

function refusalOf({ scope }: Route, { scopes, bearer }: Grant, authorization: string | undefined) {
  if (scope === null || scopes.has(scope)) return undefined;
  return bearer === undefined
    ? problem("unauthorized", unauthorizedDetail(authorization), CHALLENGE)
    : problem("forbidden", forbiddenDetail(scope), scopeChallenge(scope));
}

/** What the caller reads, and, by way of the readiness, what an operator does about it. */
async function reportFailure({ log, readiness }: AppDeps, path: string, response: Response): Promise<void> {
  const { status, headers } = response;
  // A full replica refuses thousands of times: one short line each.
  const isProblem = headers.get("content-type") === PROBLEM_CONTENT_TYPE && !headers.has("retry-after");
  const { type, detail }: Partial<Problem> = isProblem ? await response.clone().json() : {};
  // Other refusals are the caller's own affair.
  if (status === 403 && type !== "/problems/provider-refused") return;
  log.warn("failed", { route: path, status, ...(isProblem ? { problem: type, detail } : {}) });
  if (type?.startsWith("/problems/provider-")) readiness.doubtProvider();
  if (isProblem) readiness.causes().catch(() => {});
}

/** A bug answers 500. Its message may hold anything, so only the log has it. */
function crashed(deps: AppDeps, path: string, error: unknown): Response {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  deps.log.error("crashed", { route: path, error: name, detail: message, stack });
  return problem("internal-error", "The worker's log says more");
}

/** RFC 9110 section 15.5.6: a 405 names the methods there are. */
function methodNotAllowed(routes: readonly Route[]): Response {
  const allow = routes.flatMap(({ method }) => method === "GET" ? ["GET", "HEAD"] : [method]).join(", ");
  return problem("method-not-allowed", `Allowed here: ${allow}`, { allow });
}
