import assert from "node:assert/strict";
import { readRateLimitHeaders } from "../../../../../shared/pool/limits/rate_limit_headers.ts";

Deno.test("readRateLimitHeaders() reads the x-ratelimit fields of LLM providers, durations with units and without", () => {
  const report = (reset: string) =>
    readRateLimitHeaders({
      "x-ratelimit-limit-requests": "600",
      "x-ratelimit-remaining-requests": "599",
      "x-ratelimit-reset-requests": reset,
    });
  const expected = { remaining: 599, limit: 600, windowMs: undefined };
  assert.deepEqual(report("120ms"), { ...expected, resetMs: 120 });
  assert.deepEqual(report("6m0.5s"), { ...expected, resetMs: 360_500 });
  assert.deepEqual(report("2"), { ...expected, resetMs: 2000 });
  assert.deepEqual(report("1700000000"), undefined);
  assert.deepEqual(report("soon"), undefined);
});

Deno.test("readRateLimitHeaders() reads the IETF's RateLimit and RateLimit-Policy", () => {
  const headers = { "ratelimit": '"default";r=50;t=30', "ratelimit-policy": '"default";q=100;w=60' };
  assert.deepEqual(readRateLimitHeaders(headers), {
    remaining: 50,
    resetMs: 30_000,
    limit: 100,
    windowMs: 60_000,
  });
});

Deno.test("readRateLimitHeaders() says that none is left when the tokens are used up, whatever requests there are", () => {
  const report = readRateLimitHeaders({
    "x-ratelimit-limit-requests": "600",
    "x-ratelimit-remaining-requests": "599",
    "x-ratelimit-reset-requests": "100ms",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "6s",
  });
  assert.deepEqual(report, { remaining: 0, resetMs: 6000, limit: undefined, windowMs: undefined });
});

Deno.test("readRateLimitHeaders() is undefined without headers, or with what cannot be read", () => {
  assert.equal(readRateLimitHeaders({}), undefined);
  assert.equal(readRateLimitHeaders({ "x-ratelimit-remaining": "-1", "x-ratelimit-reset": "1s" }), undefined);
  assert.equal(readRateLimitHeaders({ "ratelimit": "limit=100" }), undefined);
});
