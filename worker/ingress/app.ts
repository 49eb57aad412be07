// The ingress application: its own health and figures, and every other call passed on to a replica.

import { type Context, Hono } from "hono";
import { type Cause, readinessResponse } from "../../shared/health.ts";
import { logger } from "../../shared/log.ts";
import { AttemptAbandoned } from "../../shared/pool/attempt.ts";
import { arriving } from "./arriving.ts";
import { BodyTooLargeError, CallBody } from "./call_body.ts";
import type { IngressRules } from "./config.ts";
import { type Admission, doorway, tooLarge } from "./doorway.ts";
import { requestHeaders } from "./headers.ts";
import { Line } from "./line.ts";
import { createIngressMetrics, type IngressMetrics } from "./metrics.ts";
import { type Call, passOn, type StreamingPool } from "./pass_on.ts";
import { ingressProblem, problemPage } from "./problems.ts";
import { ingressScaleOf } from "./scale.ts";

const log = logger("ingress");

/** How much of a path is logged, in characters; its query never is. */
const PATH_CHARS_MAX = 100;

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const;

/** The part of the pool that the ingress uses. */
export interface IngressPool extends StreamingPool {
  readonly permits: number;
  readonly inFlight: number;
  readonly replicas: readonly { permits(nowMs: number): number }[];
  hasFree(): boolean;
  causes(): readonly Cause[];
  onChange(listener: () => void): void;
}

/** What the ingress is made of. */
export interface IngressDeps extends IngressRules {
  readonly pool: IngressPool;
  readonly draining: () => boolean;
}

/** What the server knows of a request besides itself. */
export type IngressEnv = { readonly Bindings: { readonly peer?: string } };

/** Builds the application. It owns no socket: `Deno.serve` and tests call its `fetch`. */
export function createIngress(deps: IngressDeps): Hono<IngressEnv> {
  const { pool } = deps;
  const calls = new Calls(deps);
  const app = new Hono<IngressEnv>();
  app.onError((error, c) => {
    log.error("crashed", { path: shown(c.req.path), error: error.name, detail: error.message });
    return ingressProblem("internal-error", "The ingress's log says more");
  });
  app.get("/livez", (c) => c.json({ status: "alive" }));
  app.get("/readyz", () => readinessResponse(pool.causes()));
  app.get("/scale", (c) => c.json(calls.scale()));
  app.get("/metrics", async () => {
    const { registry } = calls.metrics;
    return new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } });
  });
  app.get("/problems/:slug", (c, next) => problemPage(c.req.param("slug")) ?? next());
  app.on([...METHODS], "*", (c) => calls.answer(c));
  const allow = METHODS.join(", ");
  app.notFound(() => ingressProblem("method-not-allowed", `Allowed here: ${allow}`, { allow }));
  return app;
}

/** All calls that go through. */
class Calls {
  readonly metrics: IngressMetrics;
  readonly #deps: IngressDeps;
  readonly #line: Line;
  readonly #admit: ReturnType<typeof doorway>;
  /** When the latest call came or ended, by `performance.now()`. */
  #lastMs: number | undefined;

  constructor(deps: IngressDeps) {
    const { pool } = deps;
    this.#deps = deps;
    this.#line = new Line(deps.line, {
      isFree: () => pool.hasFree(),
      // A provider that lets nobody through for a while is no lack of replicas.
      isEmpty: () => pool.replicas.every((replica) => replica.permits(Date.now()) === 0),
    });
    this.#admit = doorway(deps);
    this.metrics = createIngressMetrics({
      waiting: () => this.#line.waiting,
      inFlight: () => pool.inFlight,
      permits: () => pool.permits,
    });
    pool.onChange(() => this.#line.advance());
  }

  scale() {
    const { pool, scaling } = this.#deps;
    const nowMs = performance.now();
    const [waiting, inFlight, oldestMs] = [this.#line.waiting, pool.inFlight, this.#line.oldestMs];
    const idleMs = this.#lastMs === undefined ? null : Math.round(nowMs - this.#lastMs);
    return ingressScaleOf({
      waiting,
      inFlight,
      oldestWaitMs: oldestMs === undefined ? null : Math.round(nowMs - oldestMs),
      idleMs: waiting + inFlight > 0 ? 0 : idleMs,
      replicas: pool.replicas.filter((replica) => replica.permits(Date.now()) > 0).length,
    }, scaling);
  }

  /** Whatever becomes of a call is counted and told once. */
  async answer(c: Context<IngressEnv>): Promise<Response> {
    const arrivedMs = performance.now();
    const { headers } = c.req.raw;
    const admission = this.#admit({ headers, peer: c.env?.peer, nowMs: arrivedMs });
    const told = (status: number, how: Readonly<Record<string, unknown>> = {}) => {
      const ms = performance.now() - arrivedMs;
      this.metrics.calls.inc({ status: String(status) });
      this.metrics.callSeconds.observe(ms / 1000);
      const path = shown(new URL(c.req.url).pathname);
      log.info("call", {
        method: c.req.method,
        path,
        status,
        ms: Math.round(ms),
        client: admission.client,
        ...how,
      });
    };
    if (this.#deps.draining()) return refuse(stopping(), told);
    if (admission.refusal !== undefined) return refuse(admission.refusal, told);
    this.#lastMs = arrivedMs;
    return await this.#passOn(c.req.raw, arrivedMs, admission, told);
  }

  async #passOn(
    request: Request,
    arrivedMs: number,
    { more }: Admission,
    told: (status: number, how?: Readonly<Record<string, unknown>>) => void,
  ): Promise<Response> {
    const { pool, maxBodyBytes } = this.#deps;
    const arrived = await arriving(request, maxBodyBytes);
    if (arrived.kind !== "body") return refuse(arrived.kind === "cut_off" ? gone() : tooSlow(), told);
    const call = this.#callOf(request, arrived.body, arrivedMs);
    try {
      const { response, ended, tries, waitedMs, replica } = await passOn(pool, this.#line, call, more);
      this.metrics.tries.inc(tries);
      this.metrics.waitSeconds.observe(waitedMs / 1000);
      ended.then(() => {
        if (call.body instanceof CallBody) call.body.cancel();
        this.#lastMs = performance.now();
        told(response.status, { tries, waited_ms: Math.round(waitedMs), replica });
      });
      return response;
    } catch (error) {
      if (!(error instanceof AttemptAbandoned)) throw error;
      const cause = error.cause;
      return refuse(cause instanceof BodyTooLargeError ? tooLarge(maxBodyBytes, more) : gone(), told);
    }
  }

  #callOf(request: Request, body: Call["body"], arrivedMs: number): Call {
    const { timeoutMs } = this.#deps;
    const { pathname, search } = new URL(request.url);
    return {
      method: METHODS.find((each) => each === request.method) ?? "GET",
      path: pathname + search,
      headers: requestHeaders(request.headers, { timeoutMs, streamed: body instanceof CallBody }),
      body,
      timeoutMs,
      signal: request.signal,
      arrivedMs,
    };
  }
}

function refuse(response: Response, told: (status: number) => void): Response {
  told(response.status);
  return response;
}

/** Nobody reads it; the log does. */
const gone = () => new Response(null, { status: 499 });

const tooSlow = () =>
  ingressProblem("body-too-slow", "A body of up to 64 KiB has 10 s to arrive", { connection: "close" });

const stopping = () =>
  ingressProblem("stopping", "Call again, another ingress answers", {
    "retry-after": "1",
    connection: "close",
  });

function shown(path: string): string {
  return path.slice(0, PATH_CHARS_MAX);
}
