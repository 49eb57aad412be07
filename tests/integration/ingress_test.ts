// The ingress in front of replicas: what it passes on, how patient it is, and how its process ends.

import assert from "node:assert/strict";
import { Pool } from "../../shared/pool/pool.ts";
import { createIngress, type IngressDeps } from "../../worker/ingress.ts";
import { startTask } from "../chaos/tasks.ts";
import { freePort } from "../support/ports.ts";
import { Gate, problem, StubWorker } from "../support/stub_worker.ts";
import { until } from "../support/until.ts";

type App = ReturnType<typeof createIngress>;

/** An ingress in front of these workers for as long as `use` runs. */
async function ingress(
  workers: readonly { readonly url: string }[],
  use: (app: App) => Promise<void>,
  deps: Partial<IngressDeps> = {},
): Promise<void> {
  const urls = workers.map(({ url }) => new URL(url));
  const pool = new Pool({ urls, concurrency: 2, token: undefined, connectTimeoutMs: 500 });
  await pool.start();
  try {
    await use(createIngress({
      pool,
      maxBodyBytes: 1000,
      timeoutMs: 2000,
      draining: () => false,
      ...deps,
    }));
  } finally {
    await pool.close();
  }
}

const classify = (body: BodyInit, headers: Record<string, string> = {}): [string, RequestInit] => [
  "/classify",
  { method: "POST", body, headers: { "content-type": "application/json", ...headers } },
];

Deno.test("createIngress() passes method, path, query, body and the caller's own headers on, and the answer back", async () => {
  await using worker = new StubWorker(() =>
    Response.json({ category: "bug" }, { status: 200, headers: { "x-mine": "1", "retry-after": "3" } })
  );
  await ingress([worker], async (app) => {
    const headers = { authorization: "Bearer mine", "x-request-id": "r", connection: "keep-alive, x" };
    const response = await app.request("/classify?dry=1", { method: "POST", body: "{}", headers });
    assert.deepEqual(await response.json(), { category: "bug" });
    assert.equal(response.headers.get("x-mine"), "1");
    const [seen] = worker.requests;
    assert.deepEqual([seen?.method, seen?.path, seen?.text], ["POST", "/classify?dry=1", "{}"]);
    assert.equal(seen?.headers["authorization"], "Bearer mine");
    assert.equal(seen?.headers["x-request-id"], "r");
    const put = await app.request("/tickets/7/category", { method: "PUT", body: "x" });
    await put.body?.cancel();
    assert.equal(worker.requests[1]?.method, "PUT");
    const get = await app.request("/openapi.json");
    await get.body?.cancel();
    assert.equal(worker.requests[2]?.path, "/openapi.json");
  });
});

Deno.test("createIngress() passes a worker's refusals on as they are", async () => {
  await using worker = new StubWorker(() => problem(422, "/problems/invalid-ticket"));
  await ingress([worker], async (app) => {
    const response = await app.request(...classify("{}"));
    assert.equal(response.status, 422);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal((await response.json()).type, "/problems/invalid-ticket");
    worker.script = () => 401;
    assert.equal((await app.request(...classify("{}"))).status, 401);
    worker.script = () => 204;
    assert.equal((await app.request(...classify(""))).status, 204);
  });
});

Deno.test("createIngress() refuses a body over MAX_BODY_BYTES with 413, however it is sent", async () => {
  await using worker = new StubWorker();
  await ingress([worker], async (app) => {
    const large = "x".repeat(1001);
    assert.equal((await app.request(...classify(large))).status, 413);
    const chunked = new Request("http://ingress/classify", {
      method: "POST",
      body: new Blob([large]).stream(),
    });
    const response = await app.request(chunked);
    assert.equal(response.status, 413);
    assert.equal((await response.json()).type, "/problems/body-too-large");
    assert.equal(worker.requests.length, 0);
  });
});

Deno.test("createIngress() tries another replica while one is full, and waits for a while when all are", async () => {
  const full = () => new Response(null, { status: 503, headers: { "retry-after": "1" } });
  await using busy = new StubWorker(full);
  await using free = new StubWorker();
  await ingress([busy, free], async (app) => {
    for (let call = 0; call < 10; call++) {
      assert.equal((await app.request(...classify("{}"))).status, 200);
    }
    free.script = full;
    const waiting = app.request(...classify("{}"));
    await until("tries", () => free.requests.length > 11);
    free.script = () => 200;
    assert.equal((await waiting).status, 200);
  });
});

Deno.test("createIngress() answers 504 when the worker takes too long", async () => {
  const gate = new Gate();
  await using worker = new StubWorker(() => gate.opened.then(() => 200));
  await ingress([worker], async (app) => {
    const response = await app.request(...classify("{}"));
    assert.equal(response.status, 504);
    assert.equal((await response.json()).type, "/problems/worker-timeout");
    gate.open();
  }, { timeoutMs: 200 });
});

Deno.test("createIngress() answers 503 with Retry-After when no replica answers", async () => {
  await ingress([{ url: `http://127.0.0.1:${freePort()}` }], async (app) => {
    const response = await app.request(...classify("{}"));
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "1");
    assert.equal((await response.json()).type, "/problems/no-replica");
    const ready = await app.request("/readyz");
    assert.equal(ready.status, 503);
    assert.equal((await ready.json()).causes[0].name, "no-replica");
    assert.equal((await app.request("/livez")).status, 200);
  }, { patienceMs: 500 });
});

Deno.test("createIngress() gives a call up when its caller goes away", async () => {
  const [gate, gone] = [new Gate(), Promise.withResolvers<void>()];
  await using worker = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    request.signal.addEventListener("abort", () => gone.resolve());
    gate.open();
    await gone.promise;
    return new Response();
  });
  await ingress([{ url: `http://127.0.0.1:${worker.addr.port}` }], async (app) => {
    const caller = new AbortController();
    const [path, init] = classify("{}");
    const call = app.request(path, { ...init, signal: caller.signal });
    await gate.opened;
    caller.abort();
    await gone.promise;
    assert.equal((await call).status, 499);
  });
});

Deno.test("the ingress process finishes the calls in flight on SIGTERM, takes no new ones and exits 0", async () => {
  const gate = new Gate();
  await using worker = new StubWorker(() => gate.opened.then(() => Response.json({ category: "bug" })));
  const port = freePort();
  await using child = startTask("ingress", "ingress", { PORT: String(port), WORKER_URL: worker.url });
  await child.waitForLine(({ fields }) => fields["message"] === "listening");
  const call = fetch(`http://127.0.0.1:${port}/classify`, { method: "POST", body: "{}" });
  await until("the call", () => worker.requests.length === 1);
  child.kill("SIGTERM");
  await child.waitForLine(({ fields }) => fields["message"] === "stopping");
  gate.open();
  assert.deepEqual(await (await call).json(), { category: "bug" });
  assert.equal((await child.exit).code, 0);
});

Deno.test("the ingress process ends after SHUTDOWN_GRACE_MS whatever is in flight", async () => {
  const gate = new Gate();
  await using worker = new StubWorker(() => gate.opened.then(() => 200));
  const port = freePort();
  const env = { PORT: String(port), WORKER_URL: worker.url, SHUTDOWN_GRACE_MS: "300" };
  await using child = startTask("ingress", "ingress", env);
  await child.waitForLine(({ fields }) => fields["message"] === "listening");
  const call = fetch(`http://127.0.0.1:${port}/classify`, { method: "POST", body: "{}" })
    .then((response) => response.body?.cancel(), () => {});
  await until("the call", () => worker.requests.length === 1);
  assert.equal((await child.end("SIGTERM", 5000)).code, 0);
  await call;
  gate.open();
});

Deno.test("the ingress process names PORT in one line where the port is in use", async () => {
  const port = freePort();
  using _taken = Deno.listen({ hostname: "0.0.0.0", port });
  await using child = startTask("ingress", "ingress", {
    PORT: String(port),
    WORKER_URL: "http://127.0.0.1:1",
  });
  assert.equal((await child.exit).code, 1);
  assert.deepEqual(child.lines.map(({ text }) => text), [
    `ackpool: Port ${port} is in use. Stop what listens there, or set PORT to another port.`,
  ]);
});
