// Tests of the rate limit of one client.

import assert from "node:assert/strict";
import fc from "fast-check";
import { ClientRateLimit } from "../../../../../worker/ingress/admission/client_rate_limit.ts";

const take = (quota: ClientRateLimit, client: string, nowMs: number, times: number) =>
  Array.from({ length: times }, () => quota.take(client, nowMs));

Deno.test("ClientRateLimit.take() allows a minute's calls at once and then one as each is earned again", () => {
  const quota = new ClientRateLimit(60);
  assert.equal(take(quota, "a", 0, 100).filter(({ allowed }) => allowed).length, 60);
  const refused = quota.take("a", 0);
  assert.deepEqual([refused.allowed, refused.remaining, refused.retryAfterSeconds], [false, 0, 1]);
  assert.equal(quota.take("a", 999).allowed, false);
  assert.equal(quota.take("a", 1000).allowed, true);
  assert.equal(quota.take("a", 1000).allowed, false);
});

Deno.test("ClientRateLimit.take() counts each client for itself", () => {
  const quota = new ClientRateLimit(1);
  assert.equal(quota.take("a", 0).allowed, true);
  assert.equal(quota.take("a", 0).allowed, false);
  assert.equal(quota.take("b", 0).allowed, true);
});

Deno.test("ClientRateLimit.headers() are the fields of the IETF draft", () => {
  const quota = new ClientRateLimit(30);
  const [, second] = take(quota, "a", 0, 2);
  assert.ok(second);
  assert.deepEqual(quota.headers(second), {
    "ratelimit-policy": '"client";q=30;w=60',
    "ratelimit": '"client";r=28;t=4',
  });
});

Deno.test("ClientRateLimit.take() told when to come back keeps its word, whatever came before", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 600 }),
    fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 200 }),
    (perMinute, pauses) => {
      const quota = new ClientRateLimit(perMinute);
      let nowMs = 0;
      for (const pauseMs of pauses) {
        nowMs += pauseMs;
        const counted = quota.take("a", nowMs);
        if (counted.allowed) continue;
        nowMs += counted.retryAfterSeconds * 1000;
        assert.equal(quota.take("a", nowMs).allowed, true);
      }
    },
  ));
});

Deno.test("ClientRateLimit remembers no more clients than it may, and forgets those whose bucket is full first", () => {
  const quota = new ClientRateLimit(60, 100);
  for (let client = 0; client < 1000; client++) quota.take(String(client), 0);
  assert.equal(quota.clients, 100);
  assert.equal(quota.take("999", 0).remaining, 58);
  assert.equal(quota.take("0", 0).remaining, 59);
  quota.take("later", 120_000);
  assert.equal(quota.clients, 1);
});
