// The ingress as a process: how it starts, how it ends, and that its callers may go.

import assert from "node:assert/strict";
import { startTask } from "../chaos/stage/tasks.ts";
import { freePort } from "../support/ports.ts";
import { Gate, StubWorker } from "../support/workers/stub_worker.ts";
import { until } from "../support/until.ts";

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

Deno.test("the ingress process gives a call up when its caller hangs up, waiting or on its way", async () => {
  const gone = Promise.withResolvers<void>();
  await using worker = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    request.signal.addEventListener("abort", () => gone.resolve());
    await gone.promise;
    return new Response();
  });
  const port = freePort();
  await using child = startTask("ingress", "ingress", {
    PORT: String(port),
    WORKER_URL: `http://127.0.0.1:${worker.addr.port}`,
    WORKER_CONCURRENCY: "1",
  });
  await child.waitForLine(({ fields }) => fields["message"] === "listening");
  const scale = async () => await (await fetch(`http://127.0.0.1:${port}/scale`)).json();
  const call = () => {
    const caller = new AbortController();
    const options = { method: "POST", body: "{}", signal: caller.signal };
    const ended = fetch(`http://127.0.0.1:${port}/classify`, options).then(() => "answered", () => "gone");
    return { caller, ended };
  };
  const sent = call();
  await until("it to be sent", async () => (await scale()).inFlight === 1);
  const waiting = call();
  await until("the other to wait", async () => (await scale()).waiting === 1);
  waiting.caller.abort();
  await until("the line to be empty", async () => (await scale()).waiting === 0);
  sent.caller.abort();
  await gone.promise;
  assert.deepEqual([await sent.ended, await waiting.ended], ["gone", "gone"]);
  await until("the permit", async () => (await scale()).inFlight === 0);
  const line = await child.waitForLine(({ fields }) => fields["message"] === "call");
  assert.deepEqual([line.fields["path"], line.fields["status"]], ["/classify", 499]);
});

Deno.test("the ingress process logs a line a call, without its text, query or token", async () => {
  await using worker = new StubWorker(() => Response.json({ category: "bug" }));
  const port = freePort();
  await using child = startTask("ingress", "ingress", {
    PORT: String(port),
    WORKER_URL: worker.url,
    WORKER_TOKEN: "s3cret",
  });
  await child.waitForLine(({ fields }) => fields["message"] === "listening");
  const response = await fetch(`http://127.0.0.1:${port}/classify?q=hidden`, {
    method: "POST",
    body: '{"subject":"hidden","body":"hidden"}',
    headers: { authorization: "Bearer s3cret" },
  });
  assert.deepEqual(await response.json(), { category: "bug" });
  assert.equal(response.headers.get("ratelimit-policy"), '"client";q=6000;w=60');
  const { fields, text } = await child.waitForLine(({ fields }) => fields["message"] === "call");
  assert.deepEqual(
    [fields["method"], fields["path"], fields["status"], fields["tries"], fields["replica"]],
    ["POST", "/classify", 200, 1, worker.url],
  );
  assert.match(String(fields["client"]), /^token:[0-9a-f]{8}$/);
  assert.ok(!/hidden|s3cret/.test(text));
});

Deno.test("the ingress process counts a client by what its own proxies say, and by nothing a caller writes", async () => {
  await using worker = new StubWorker(() => 204);
  const port = freePort();
  await using child = startTask("ingress", "ingress", {
    PORT: String(port),
    WORKER_URL: worker.url,
    INGRESS_RATE_PER_MINUTE: "2",
    INGRESS_PROXIES: "1",
  });
  await child.waitForLine(({ fields }) => fields["message"] === "listening");
  const statuses = async (...forwardedFor: readonly string[]) => {
    const seen: number[] = [];
    for (const each of forwardedFor) {
      const headers = { "x-forwarded-for": each };
      const response = await fetch(`http://127.0.0.1:${port}/classify`, { method: "POST", headers });
      await response.body?.cancel();
      seen.push(response.status);
      assert.equal(response.headers.get("ratelimit-policy"), '"client";q=2;w=60');
      if (response.status === 429) assert.ok(Number(response.headers.get("retry-after")) > 0);
    }
    return seen;
  };
  assert.deepEqual(await statuses("203.0.113.7", "1.1.1.1, 203.0.113.7", "2.2.2.2, 203.0.113.7"), [
    204,
    204,
    429,
  ]);
  assert.deepEqual(await statuses("203.0.113.7, 203.0.113.8"), [204]);
  assert.equal(worker.requests.length, 3);
});
