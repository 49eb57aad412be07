// Logging in to the page, and what a session may do.

import assert from "node:assert/strict";
import { adminWith } from "../../consumer/page/fixtures.ts";

const HTML = { accept: "text/html", host: "consumer.example:8080" };
const FORM = { "content-type": "application/x-www-form-urlencoded", host: "consumer.example:8080" };

const login = (app: ReturnType<typeof adminWith>, token: string, next = "/") =>
  app.request("/login", {
    method: "POST",
    headers: FORM,
    body: new URLSearchParams({ token, next }).toString(),
  });

Deno.test("the page sends a browser without a session to the login, and a program away", async () => {
  const app = adminWith("s3cret");
  const sent = await app.request("/page/pool?a=1", { headers: HTML });
  assert.deepEqual([sent.status, sent.headers.get("location")], [303, "/login?next=%2Fpage%2Fpool%3Fa%3D1"]);
  assert.equal((await app.request("/state", { headers: { host: "consumer.example" } })).status, 401);
  for (const path of ["/state", "/state/history", "/state/records", "/page/live/now"]) {
    assert.equal((await app.request(path)).status, 401, path);
  }
  for (const path of ["/livez", "/readyz", "/metrics", "/page/assets/page.css", "/login"]) {
    assert.equal((await app.request(path)).status, 200, path);
  }
});

Deno.test("a login gives a session that scripts cannot read and other sites cannot send", async () => {
  const app = adminWith("s3cret, other");
  const answer = await login(app, "other", "/page/pool?x=1");
  assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/page/pool?x=1"]);
  const cookie = answer.headers.get("set-cookie") ?? "";
  assert.match(cookie, /^ackpool-session-8080=\d+\.[0-9a-f]{64}; /);
  for (const flag of ["HttpOnly", "SameSite=Strict", "Path=/"]) assert.ok(cookie.includes(flag), flag);
  const headers = { ...HTML, cookie: cookie.split(";")[0] ?? "" };
  assert.equal((await app.request("/", { headers })).status, 200);
  assert.equal((await app.request("/state", { headers })).status, 200);
});

Deno.test("a session changes something only from the page itself", async () => {
  const app = adminWith("s3cret");
  const cookie = ((await login(app, "s3cret")).headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const post = (headers: Record<string, string>) =>
    app.request("http://consumer.example:8080/dead-letters/drop", {
      method: "POST",
      headers: { host: "consumer.example:8080", cookie, ...headers },
    });
  // Who is let through finds no such route here.
  assert.equal((await post({ origin: "http://consumer.example:8080" })).status, 404);
  assert.equal((await post({ "sec-fetch-site": "same-origin" })).status, 404);
  assert.equal((await post({})).status, 403);
  assert.equal((await post({ origin: "https://evil.example" })).status, 403);
  assert.equal((await post({ "sec-fetch-site": "cross-site" })).status, 403);
  assert.equal((await post({ "sec-fetch-site": "same-site" })).status, 403);
});

Deno.test("a wrong token is refused, and twenty a minute are a guess", async () => {
  const app = adminWith("s3cret");
  for (let guess = 0; guess < 20; guess++) assert.equal((await login(app, `guess-${guess}`)).status, 401);
  assert.equal((await login(app, "s3cret")).status, 429);
});

Deno.test("a login leads nowhere but to this page", async () => {
  const app = adminWith("s3cret");
  for (
    const next of ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""]
  ) {
    assert.equal((await login(app, "s3cret", next)).headers.get("location"), "/", next);
  }
});

Deno.test("a page of another origin can neither log in nor out", async () => {
  const app = adminWith("s3cret");
  for (const path of ["/login", "/logout"]) {
    const headers = { ...FORM, origin: "https://evil.example" };
    assert.equal(
      (await app.request(path, { method: "POST", headers, body: "token=s3cret" })).status,
      403,
      path,
    );
  }
});

Deno.test("a login whose form is of another type, breaks off or has no end is the caller's fault", async () => {
  const app = adminWith("s3cret");
  const statusOf = async (body: BodyInit, type: string) =>
    (await app.request("/login", { method: "POST", headers: { ...FORM, "content-type": type }, body }))
      .status;
  const broken = new ReadableStream({ start: (controller) => controller.error(new Error("cut off")) });
  assert.equal(await statusOf("token=s3cret", "multipart/form-data"), 303);
  assert.equal(await statusOf("--x\r\nbroken", "multipart/form-data; boundary=x"), 401);
  assert.equal(await statusOf("%ff%zz&token", FORM["content-type"]), 401);
  assert.equal(await statusOf(broken, FORM["content-type"]), 400);
  assert.ok([400, 413].includes(await statusOf("x".repeat(100_000), FORM["content-type"])));
});

Deno.test("a cookie that is none counts as no login", async () => {
  const headers = { ...HTML, cookie: "ackpool-session-8080=%E0%A4%A; =; ;;" };
  assert.equal((await adminWith("s3cret").request("/", { headers })).status, 303);
});
