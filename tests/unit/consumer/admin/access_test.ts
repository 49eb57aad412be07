// Who may use the operator's side, and how much of it at once.

import assert from "node:assert/strict";
import { Hono } from "hono";
import { Registry } from "prom-client";
import { accessCheck, atMost, smallBodies } from "../../../../consumer/admin/access.ts";
import { createAdmin, createHealth } from "../../../../consumer/admin/app.ts";

const guarded = (token?: string) => {
  const app = new Hono();
  app.use("*", accessCheck(token), smallBodies);
  app.all("*", async (c) => c.json({ bytes: (await c.req.text()).length }));
  return app;
};

const statusOf = async (app: Hono, headers: Record<string, string>, method = "POST") =>
  (await app.request("http://127.0.0.1:8080/dead-letters/drop", { method, headers })).status;

Deno.test("accessCheck() without a token answers to names of this machine alone, whatever leads here", async () => {
  const app = guarded();
  for (const host of ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST", "127.1.2.3"]) {
    assert.equal(await statusOf(app, { host }), 200, host);
  }
  for (
    const host of [
      "evil.example",
      "evil.example:8080",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.7:8080",
    ]
  ) {
    assert.equal(await statusOf(app, { host }), 403, host);
    assert.equal(await statusOf(app, { host }, "GET"), 403, host);
  }
});

Deno.test("accessCheck() refuses what a page of another origin sends", async () => {
  const host = "localhost:8080";
  for (const app of [guarded(), guarded("s3cret")]) {
    const headers = { host, authorization: "Bearer s3cret" };
    assert.equal(await statusOf(app, { ...headers, origin: "http://localhost:8080" }), 200);
    assert.equal(await statusOf(app, { ...headers, "sec-fetch-site": "same-origin" }), 200);
    for (const origin of ["https://evil.example", "null", "http://localhost:3000"]) {
      assert.equal(await statusOf(app, { ...headers, origin }), 403, origin);
    }
    assert.equal(await statusOf(app, { ...headers, "sec-fetch-site": "cross-site" }, "GET"), 403);
  }
});

Deno.test("accessCheck() with a token asks for it, by whatever name it is called", async () => {
  const app = guarded("new, old");
  for (const authorization of ["Bearer new", "bearer old"]) {
    assert.equal(await statusOf(app, { host: "consumer.example", authorization }), 200);
  }
  for (const authorization of ["", "Bearer wrong", "Basic new", "Bearer new,old"]) {
    assert.equal(await statusOf(app, { host: "localhost", authorization }), 401, authorization);
  }
});

Deno.test("smallBodies refuses a large body, stated or not, before it is in memory", async () => {
  const app = guarded();
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 10_000;
      controller.enqueue(new Uint8Array(10_000));
    },
  });
  const headers = { host: "localhost" };
  const url = "http://localhost/dead-letters/drop";
  const unstated = await app.request(url, { method: "POST", headers, body: endless });
  assert.equal(unstated.status, 413);
  assert.ok(sent < 200_000, `${sent} bytes were read`);
  const stated = await app.request(url, {
    method: "POST",
    headers: { ...headers, "content-length": "900000000" },
    body: "x",
  });
  assert.equal(stated.status, 413);
  assert.equal((await app.request(url, { method: "POST", headers, body: "x".repeat(65_536) })).status, 200);
});

Deno.test("smallBodies says 400 of a body that breaks off, which is no fault of ours", async () => {
  const broken = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(10));
      controller.error(new Error("request body receiver not connected"));
    },
  });
  const answer = await guarded().request("http://localhost/dead-letters/drop", {
    method: "POST",
    headers: { host: "localhost" },
    body: broken,
  });
  assert.deepEqual([answer.status, answer.headers.get("connection")], [400, "close"]);
});

Deno.test("atMost() sends away what would be too many at once, and counts what has ended", async () => {
  const gate = Promise.withResolvers<void>();
  const app = new Hono();
  app.get("*", atMost(2), async (c) => {
    await gate.promise;
    return c.text("read");
  });
  const first = [app.request("/"), app.request("/")];
  const third = await app.request("/");
  assert.deepEqual([third.status, third.headers.get("retry-after")], [503, "2"]);
  gate.resolve();
  for (const response of await Promise.all(first)) assert.equal(response.status, 200);
  assert.equal((await app.request("/")).status, 200);
});

Deno.test("createHealth() shows nothing of a ticket and takes no action; createAdmin() guards what does", async () => {
  const health = { causes: () => [], registry: new Registry(), scale: () => ({}) as never };
  const [open, admin] = [
    createHealth(health),
    createAdmin({ ...health, token: "s3cret", parked: () => assert.fail() }),
  ];
  for (const path of ["/livez", "/readyz", "/metrics", "/scale"]) {
    assert.equal((await open.request(path)).status, 200, path);
    assert.equal((await admin.request(path)).status, 200, path);
  }
  for (
    const path of [
      "/dead-letters",
      "/dead-letters/t/0/1",
      "/dead-letters/replay",
      "/records/t/0/1",
      "/parked",
    ]
  ) {
    assert.equal((await open.request(path)).status, 404, path);
    assert.equal((await admin.request(path)).status, 401, path);
  }
  for (
    const path of [
      "/dead-letters/drop",
      "/dead-letters/replay",
      "/dead-letters/allow",
      "/records/t/0/1/dead-letter",
    ]
  ) {
    assert.equal((await admin.request(path, { method: "POST" })).status, 401, path);
  }
});
