// `deno task ingress`: one address in front of the pool, for ad-hoc calls, with the balancing and limits the consumer has.

import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { logConfig, readTogether, readVariables } from "../shared/config.ts";
import { readinessResponse } from "../shared/health.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { outcomeLabel } from "../shared/outcome.ts";
import { type Answered, AttemptAbandoned, type AttemptRequest } from "../shared/pool/attempt.ts";
import { Pool } from "../shared/pool/pool.ts";
import { problemResponse } from "../shared/problem.ts";
import { EXIT, onStopSignal, runMain, serve } from "../shared/process.ts";
import { ruleFor } from "../shared/status_contract.ts";

const log = logger("ingress");

/** Patience with full replicas where nothing else is asked for, in ms. */
const PATIENCE_MS = 5000;
/** Pause between two tries, in ms. */
const TRY_EVERY_MS = 50;

/** Headers that belong to one connection and are not passed on: RFC 9110 section 7.6.1. */
const HOP_BY_HOP = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const;

/** The part of the pool that the ingress uses. */
export interface IngressPool {
  send(attempt: AttemptRequest): Promise<Answered>;
  causes(): ReturnType<Pool["causes"]>;
}

/** What the ingress is made of. */
export interface IngressDeps {
  readonly pool: IngressPool;
  readonly maxBodyBytes: number;
  /** Time limit of one attempt, in ms. */
  readonly timeoutMs: number;
  /** A call goes from one full replica to the next for so long, in ms, before the caller is told to come again. */
  readonly patienceMs?: number;
  readonly draining: () => boolean;
}

/** The ingress application: everything but its own health goes to a replica. */
export function createIngress(
  { pool, maxBodyBytes, timeoutMs, patienceMs = PATIENCE_MS, draining }: IngressDeps,
): Hono {
  const app = new Hono();
  app.onError((error, c) => {
    if (error instanceof AttemptAbandoned) return new Response(null, { status: 499 });
    log.error("failed", { path: c.req.path, error: String(error) });
    return problemResponse({ type: "about:blank", title: "Internal error", status: 500 });
  });
  app.get("/livez", (c) => c.json({ status: "alive" }));
  app.get("/readyz", () => readinessResponse(pool.causes()));
  const limit = bodyLimit({
    maxSize: maxBodyBytes,
    onError: () =>
      problemResponse({
        type: "/problems/body-too-large",
        title: "Body too large",
        status: 413,
        detail: `At most ${maxBodyBytes} bytes are taken`,
      }),
  });
  app.on([...METHODS], "*", limit, async (c) => {
    if (draining()) return unavailable("The ingress is stopping");
    const { pathname, search } = new URL(c.req.url);
    const body = new Uint8Array(await c.req.arrayBuffer());
    const method = METHODS.find((each) => each === c.req.method) ?? "GET";
    const answered = await sendPatiently(pool, patienceMs, {
      method,
      path: pathname + search,
      headers: passedOn(c.req.raw.headers),
      body: method === "GET" || method === "HEAD" ? null : body,
      timeoutMs,
      whole: true,
      signal: c.req.raw.signal,
    });
    return toResponse(answered);
  });
  return app;
}

/** Full, draining and refused replicas are not the caller's concern: another one is tried for a while. */
async function sendPatiently(
  pool: IngressPool,
  patienceMs: number,
  attempt: AttemptRequest,
): Promise<Answered> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const answered = await pool.send(attempt);
    const { outcome } = answered;
    const elsewhere = outcome.kind === "refused" || ruleFor(outcome).slows === "replica";
    if (!elsewhere || performance.now() > untilMs) return answered;
    await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
  }
}

function toResponse({ outcome, headers, body }: Answered): Response {
  switch (outcome.kind) {
    case "answer": {
      const empty = outcome.status === 204 || outcome.status === 304;
      return new Response(empty ? null : body as Uint8Array<ArrayBuffer>, {
        status: outcome.status,
        headers: passedOn(new Headers(headers)),
      });
    }
    case "timeout":
      return problemResponse({
        type: "/problems/worker-timeout",
        title: "The worker took too long",
        status: 504,
        detail: "No answer within WORKER_TIMEOUT_MS",
      });
    case "refused":
    case "reset":
      return unavailable(`No replica answers (${outcomeLabel(outcome)})`);
    default:
      return outcome satisfies never;
  }
}

function unavailable(detail: string): Response {
  const problem = { type: "/problems/no-replica", title: "No replica takes the call", status: 503, detail };
  return problemResponse(problem, { "retry-after": "1" });
}

function passedOn(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !HOP_BY_HOP.has(name)));
}

const VARIABLES = [
  "PORT",
  "WORKER_URL",
  "WORKER_DNS_SERVER",
  "WORKER_CONCURRENCY",
  "WORKER_TIMEOUT_MS",
  "MAX_BODY_BYTES",
  "SHUTDOWN_GRACE_MS",
] as const;

async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  const [logs, v] = readTogether(
    () => logConfig(env, Deno.stdout.isTerminal()),
    () => readVariables(VARIABLES, env),
  );
  configureLogs(logs);
  const pool = new Pool({
    urls: v.WORKER_URL,
    dnsServer: v.WORKER_DNS_SERVER,
    concurrency: v.WORKER_CONCURRENCY,
    // Callers prove themselves to the worker: what they send is passed on.
    token: undefined,
    connectTimeoutMs: Math.min(5000, v.WORKER_TIMEOUT_MS),
  });
  const stopping = Promise.withResolvers<void>();
  let draining = false;
  onStopSignal((signal) => {
    log.info("stopping", { signal });
    draining = true;
    stopping.resolve();
  });
  const deps = {
    pool,
    maxBodyBytes: v.MAX_BODY_BYTES,
    timeoutMs: v.WORKER_TIMEOUT_MS,
    draining: () => draining,
  };
  const server = serve(v.PORT, "PORT", createIngress(deps).fetch);
  await pool.start();
  log.info("listening", { port: server.addr.port, pool: v.WORKER_URL.map((url) => url.href) });
  await stopping.promise;
  const grace = new Promise((resolve) => setTimeout(resolve, v.SHUTDOWN_GRACE_MS));
  await Promise.race([server.shutdown(), grace]);
  await pool.close();
  log.info("stopped");
  return EXIT.ok;
}

if (import.meta.main) await runMain(main);
