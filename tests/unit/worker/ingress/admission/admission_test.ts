// Who is let through the ingress without a token in a header: people's browsers, as far as they need.

import assert from "node:assert/strict";
import { accessTokens } from "../../../../../shared/http/bearer_token.ts";
import { monotonicMs } from "../../../../../shared/clock.ts";
import { sealSession, WORKER_SESSION_COOKIE } from "../../../../../shared/http/session_cookie.ts";
import { admissionCheck } from "../../../../../worker/ingress/admission/admission.ts";

const TOKENS = accessTokens("delivery", [
  { token: "people", scopes: ["classify", "read", "override"] },
  { token: "callers", scopes: ["classify"] },
]);
const admit = admissionCheck({ tokens: TOKENS, ratePerMinute: 0, proxies: 0, maxBodyBytes: 1000 } as never);

const statusOf = (path: string, headers: Record<string, string> = {}) =>
  admit({ headers: new Headers(headers), path, peer: "10.0.0.1", nowMs: 0 }).refusal?.status ?? 200;

const cookie = (token: string) => `a=b; ${WORKER_SESSION_COOKIE}=${sealSession(token, monotonicMs())}`;

Deno.test("admissionCheck() lets a browser come to the login, and nothing else of it", () => {
  assert.equal(statusOf("/login"), 200);
  assert.equal(statusOf("/page/assets/page.css"), 200);
  assert.equal(statusOf("/review", { accept: "text/html" }), 200);
  assert.equal(statusOf("/review"), 401);
  assert.equal(statusOf("/tickets/1", { accept: "text/html" }), 401);
  assert.equal(statusOf("/classify", { accept: "text/html" }), 401);
});

Deno.test("admissionCheck() takes the session of who may read labels, and no forged one", () => {
  assert.equal(statusOf("/tickets/1", { cookie: cookie("people") }), 200);
  assert.equal(statusOf("/tickets/1", { cookie: cookie("callers") }), 401);
  assert.equal(statusOf("/tickets/1", { cookie: cookie("a guess") }), 401);
  assert.equal(
    statusOf("/tickets/1", { cookie: `${WORKER_SESSION_COOKIE}=9999999999999.${"0".repeat(64)}` }),
    401,
  );
});
