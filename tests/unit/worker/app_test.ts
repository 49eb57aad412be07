// Tests of the worker's app.

import assert from "node:assert/strict";
import type { StoreFailure } from "../../../worker/core/label_store.ts";
import { WorkerReadiness } from "../../../worker/readiness.ts";
import { PROBLEMS } from "../../../worker/http/problems.ts";
import { accessTokens } from "../../../shared/http/bearer_token.ts";
import { workerApp } from "../../support/workers/worker_app.ts";

Deno.test("createApp() answers 405 with Allow for a wrong method and 404 for a wrong path", async () => {
  const { app } = workerApp();
  const wrongMethod = await app.request("/classify", { method: "DELETE" });
  assert.deepEqual([wrongMethod.status, wrongMethod.headers.get("allow")], [405, "POST"]);
  const readOnly = await app.request("/livez", { method: "POST" });
  assert.deepEqual([readOnly.status, readOnly.headers.get("allow")], [405, "GET, HEAD"]);
  const nowhere = await app.request("/nowhere");
  assert.deepEqual([nowhere.status, (await nowhere.json()).type], [404, "/problems/not-found"]);
});

Deno.test("createApp() leaves health, metrics and problems open to all", async () => {
  const { app } = workerApp({ tokens: accessTokens("secret") });
  for (const path of ["/livez", "/readyz", "/metrics", "/problems/not-json"]) {
    assert.equal((await app.request(path)).status, 200, path);
  }
});

Deno.test("createApp() says in a 401 what to send, whichever header came", async () => {
  const { app } = workerApp({ tokens: accessTokens("new,old") });
  const details: string[] = [];
  for (const authorization of [undefined, "Bearer wrong", "new"]) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await app.request("/classify", { method: "POST", headers });
    assert.deepEqual([response.status, response.headers.get("www-authenticate")], [401, "Bearer"]);
    details.push((await response.json()).detail);
  }
  const send =
    "Send the header `Authorization: Bearer <token>` with a token of WORKER_TOKEN or INGRESS_TOKEN";
  assert.deepEqual(details, [
    `${send}; no Authorization header came`,
    `${send}; the one that came is none of them`,
    `${send}; the one that came does not begin with Bearer`,
  ]);
});

Deno.test("createApp() lets a token do what its scopes say and no more", async () => {
  const people = [
    { token: "asks", scopes: ["classify" as const] },
    { token: "reads", scopes: ["read" as const] },
    { token: "decides", scopes: ["read" as const, "override" as const] },
  ];
  const { app } = workerApp({ tokens: accessTokens("delivers", people) });
  const statuses: Record<string, number[]> = {};
  for (const token of ["delivers", "asks", "reads", "decides"]) {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const classify = await app.request("/classify", {
      method: "POST",
      headers,
      body: '{"subject":"a","body":"b"}',
    });
    const read = await app.request("/review", { headers });
    const body = '{"category":"bug","by":"CEO"}';
    const override = await app.request("/tickets/1/label", { method: "PUT", headers, body });
    statuses[token] = [classify.status, read.status, override.status];
    if (override.status !== 403) continue;
    assert.equal(
      override.headers.get("www-authenticate"),
      'Bearer error="insufficient_scope", scope="override"',
    );
    assert.equal((await override.json()).type, "/problems/forbidden");
  }
  assert.deepEqual(statuses, {
    delivers: [200, 403, 403],
    asks: [200, 403, 403],
    reads: [403, 200, 403],
    decides: [403, 200, 404],
  });
});

Deno.test("createApp() serves a page for every kind of problem", async () => {
  const { app } = workerApp();
  for (const [slug, { title, status }] of Object.entries(PROBLEMS)) {
    const page = await (await app.request(`/problems/${slug}`)).json();
    assert.deepEqual([page.type, page.title, page.status], [`/problems/${slug}`, title, status]);
  }
  assert.equal((await app.request("/problems/toString")).status, 404);
});

Deno.test("GET /readyz names what is wrong, since when, and heals by itself", async () => {
  const { app, tables, readiness } = workerApp();
  readiness.drain();
  const response = await app.request("/readyz");
  const { status, causes } = await response.json();
  assert.deepEqual([response.status, status, causes[0].name], [503, "not_ready", "draining"]);
  assert.ok(!Number.isNaN(Date.parse(causes[0].since)));
  const other = workerApp();
  other.tables.failure = { kind: "failed", cause: "unreachable", detail: "ECONNREFUSED" };
  assert.equal((await (await other.app.request("/readyz")).json()).causes[0].name, "database-unreachable");
  assert.equal(tables.failure, undefined);
});

Deno.test("WorkerReadiness tells a cause when it begins and when it is over, once each", async () => {
  const told: string[] = [];
  let failure: StoreFailure | undefined = { kind: "failed", cause: "unreachable", detail: "ECONNREFUSED" };
  let nowMs = 0;
  const readiness = new WorkerReadiness({
    checkStore: () => Promise.resolve(failure),
    checkProvider: () => Promise.resolve(undefined),
    budgetReached: () => undefined,
    nowMs: () => nowMs += 10_000,
    onBegin: ({ name, remedy }) => told.push(`${name}: ${remedy}`),
    onEnd: (name) => told.push(`${name} is over`),
  });
  await readiness.causes();
  await readiness.causes();
  failure = undefined;
  await readiness.causes();
  assert.deepEqual(told, [
    "database-unreachable: Start the database or check DATABASE_URL; the worker connects again by itself",
    "database-unreachable is over",
  ]);
});

Deno.test("GET /metrics counts requests by route and status, and labels by outcome", async () => {
  const { app, classify } = workerApp();
  await classify({ subject: "Invoice", body: "twice" });
  await classify({ subject: "Invoice" });
  const text = await (await app.request("/metrics")).text();
  assert.match(text, /^ackpool_worker_requests_total\{route="\/classify",status="200"\} 1$/m);
  assert.match(text, /^ackpool_worker_requests_total\{route="\/classify",status="422"\} 1$/m);
  assert.match(text, /^ackpool_worker_labels_total\{category="billing",outcome="classified"\} 1$/m);
  assert.match(text, /^ackpool_worker_in_flight 0$/m);
  assert.match(text, /^# TYPE ackpool_worker_db_statements_total counter$/m);
});

Deno.test("WorkerReadiness knows at once that a statement failed, and asks again after a second", async () => {
  let nowMs = 0;
  const readiness = new WorkerReadiness({
    checkStore: () => Promise.resolve(undefined),
    checkProvider: () => Promise.resolve(undefined),
    budgetReached: () => undefined,
    nowMs: () => nowMs,
  });
  assert.deepEqual(await readiness.causes(), []);
  readiness.recordStoreFailure({ kind: "failed", cause: "read_only", detail: "a standby" });
  const [cause] = await readiness.causes();
  assert.deepEqual([cause?.name, cause?.detail], ["database-unreachable", "a standby"]);
  assert.match(cause?.remedy ?? "", /Promote it/);
  nowMs = 1_000;
  assert.deepEqual(await readiness.causes(), []);
});

Deno.test("WorkerReadiness takes a provider that limits the rate for one that is there, and one that refuses us for none", async () => {
  const seen = await Promise.all((["rate_limited", "refused"] as const).map(async (cause) => {
    const readiness = new WorkerReadiness({
      checkStore: () => Promise.resolve(undefined),
      checkProvider: () => Promise.resolve({ kind: "failed", cause, detail: "no", headers: {} }),
      budgetReached: () => undefined,
      nowMs: () => 0,
    });
    return (await readiness.causes()).map(({ name }) => name);
  }));
  assert.deepEqual(seen, [[], ["provider-refused"]]);
});
