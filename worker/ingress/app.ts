// Ingress application: its own health and metrics; every other call is forwarded to a replica.

import { Hono } from "hono";
import { readinessResponse } from "../../shared/http/health.ts";
import { type Entry, startPage } from "../../shared/http/start_page.ts";
import { IngressProxy, METHODS, type ProxyDeps } from "./proxy.ts";
import { ingressProblem, problemPage } from "./problems.ts";

const ENTRIES: readonly Entry[] = [
  ["POST /classify", 'labels a ticket: {"subject": "…", "body": "…"}; with a ticket_id its row, too'],
  ["POST /classify/batch", "labels many"],
  ["GET /docs", "every call with its parameters and answers, as long as a worker runs"],
  ["GET /review", "tickets whose label is uncertain"],
  ["GET /tickets/{id}", "the label of a ticket, and every label it had"],
  ["PUT /tickets/{id}/label", "a person's decision, which nothing automatic overwrites"],
  ["GET /readyz", "whether calls are answered, and what is in the way"],
  ["GET /metrics", "counters and gauges for Prometheus"],
];

/** What the ingress is made of. */
export type IngressDeps = ProxyDeps;

/** What the server knows of a request besides itself. */
export type IngressEnv = { readonly Bindings: { readonly peer?: string } };

/** Builds the application. It owns no socket: `Deno.serve` and tests call its `fetch`. */
export function createIngress(deps: IngressDeps): Hono<IngressEnv> {
  const proxy = new IngressProxy(deps);
  const { registry } = proxy.metrics;
  const allow = METHODS.join(", ");
  const app = new Hono<IngressEnv>();
  app.get("/", () => startPage("Ackpool ingress", "One address in front of all workers.", ENTRIES));
  app.get("/livez", (c) => c.json({ status: "alive" }));
  app.get("/readyz", () => readinessResponse(proxy.causes()));
  app.get("/scale", (c) => c.json(proxy.scale()));
  app.get(
    "/metrics",
    async () => new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } }),
  );
  app.get("/problems/:slug", (c, next) => problemPage(c.req.param("slug")) ?? next());
  app.on([...METHODS], "*", (c) => proxy.answer(c.req.raw, c.env?.peer));
  app.notFound(() => ingressProblem("method-not-allowed", `Allowed here: ${allow}`, { allow }));
  return app;
}
