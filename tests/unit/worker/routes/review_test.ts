// GET /review for programs and for browsers.

import assert from "node:assert/strict";
import { accessTokens } from "../../../../shared/http/bearer_token.ts";
import { reviewableWorker } from "../../../support/workers/reviewable_worker.ts";

const HTML = { accept: "text/html,application/xhtml+xml" };
const HOST = "worker.example:8000";
const TOKENS = accessTokens("delivery", [
  { token: "people", scopes: ["classify", "read", "override"] },
  { token: "callers", scopes: ["classify"] },
]);

Deno.test("GET /review answers browsers with a page, and programs with JSON as ever", async () => {
  const { app } = await reviewableWorker(2);
  const json = await (await app.request("/review")).json();
  assert.deepEqual(Object.keys(json.tickets[0]), [
    "ticket_id",
    "category",
    "confidence",
    "reason",
    "labelled_at",
  ]);
  const page = await app.request("/review", { headers: HTML });
  assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'none'; script-src 'self';/);
  const html = await page.text();
  assert.match(html, /^<!doctype html><html lang="en">/);
  assert.doesNotMatch(html, /<style|style="|<script(?! type="module" src="\/page\/)/);
  // The least certain first, and what tickets say is text.
  assert.deepEqual([...html.matchAll(/data-ticket="(\d)"/g)].map(([, id]) => id), ["1", "2"]);
  assert.match(html, /Body of &lt;1&gt;/);
  for (const path of ["/page/assets/review.js", "/page/assets/page.css"]) {
    assert.equal((await app.request(path)).status, 200, path);
  }
});

Deno.test("GET /review sends a browser to the login, whose session may review, and only from the page", async () => {
  const { app, tables } = await reviewableWorker(1, { tokens: TOKENS });
  assert.equal((await app.request("/review")).status, 401);
  const sent = await app.request("/review", { headers: HTML });
  assert.deepEqual([sent.status, sent.headers.get("location")], [303, "/login?next=%2Freview"]);
  const login = (token: string) =>
    app.request("/login", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" },
      body: new URLSearchParams({ token, next: "/review" }).toString(),
    });
  assert.equal((await login("callers")).status, 401);
  const welcome = await login("people");
  assert.deepEqual([welcome.status, welcome.headers.get("location")], [303, "/review"]);
  const cookie = (welcome.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  assert.equal((await app.request("/review", { headers: { ...HTML, cookie } })).status, 200);
  const decide = (headers: Record<string, string>) =>
    app.request("/tickets/1/label", {
      method: "PUT",
      headers: { "content-type": "application/json", host: HOST, cookie, ...headers },
      body: JSON.stringify({ category: "bug", by: "ada" }),
    });
  for (const headers of [{}, { origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
    assert.equal((await decide(headers)).status, 401, JSON.stringify(headers));
  }
  assert.equal(tables.overrides.size, 0);
  assert.equal((await decide({ origin: `http://${HOST}` })).status, 200);
  assert.equal((await decide({ "sec-fetch-site": "same-origin" })).status, 200);
  assert.equal(tables.overrides.get("1"), "bug");
  // The page lists it with a button that undoes it, under the same rules.
  const page = await (await app.request("/review", { headers: { ...HTML, cookie } })).text();
  assert.deepEqual([...page.matchAll(/data-undo="([^"]*)"/g)].map(([, id]) => id), ["1"]);
  const undo = (headers: Record<string, string>) =>
    app.request("/tickets/1/label?by=ada", { method: "DELETE", headers: { host: HOST, cookie, ...headers } });
  for (const headers of [{}, { origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
    assert.equal((await undo(headers)).status, 401, JSON.stringify(headers));
  }
  assert.equal(tables.overrides.size, 1);
  assert.equal((await undo({ "sec-fetch-site": "same-origin" })).status, 200);
  assert.equal(tables.overrides.size, 0);
});

Deno.test("nobody is logged in by a page of another origin", async () => {
  const { app } = await reviewableWorker(1, { tokens: TOKENS });
  const answer = await app.request("/login", {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      origin: "https://evil.example",
      host: HOST,
    },
    body: "token=people",
  });
  assert.equal(answer.status, 403);
});
