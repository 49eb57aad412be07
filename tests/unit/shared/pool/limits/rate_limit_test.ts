import assert from "node:assert/strict";
import { RateLimit } from "../../../../../shared/pool/limits/rate_limit.ts";

const report = (remaining: number, resetMs: number) => ({
  remaining,
  resetMs,
  limit: 100,
  windowMs: undefined,
});

Deno.test("RateLimit holds nothing up where nothing is known", () => {
  const rate = new RateLimit();
  assert.equal(rate.tokens(0), Infinity);
  assert.equal(rate.nextTokenMs(0), undefined);
});

Deno.test("RateLimit lets no more leave than a report says are left, less what left since, and then as they come back", () => {
  const rate = new RateLimit();
  const first = rate.start(0);
  for (let each = 0; each < 3; each++) rate.start(0);
  // 95 of 100 are used up and come back in 9.5 s: ten a second.
  rate.recordReport(report(5, 9500), first, 0, 0);
  assert.equal(rate.tokens(0), 2);
  rate.start(0);
  rate.start(0);
  assert.equal(rate.tokens(0), 0);
  assert.equal(rate.nextTokenMs(0), 100);
  assert.equal(rate.tokens(100), 1);
});

Deno.test("RateLimit passes over a report about an attempt older than the last one reported on", () => {
  const rate = new RateLimit();
  const [older, newer] = [rate.start(0), rate.start(0)];
  rate.recordReport(report(0, 10_000), newer, 0, 0);
  rate.recordReport(report(90, 1000), older, 0, 0);
  assert.equal(rate.tokens(0), 0);
});

Deno.test("RateLimit.rest() lets nothing leave until it is over", () => {
  const rate = new RateLimit();
  rate.rest(1000, 500);
  assert.equal(rate.tokens(1499), 0);
  assert.equal(rate.nextTokenMs(600), 1500);
  assert.equal(rate.tokens(1500), Infinity);
});

Deno.test("RateLimit learns what was accepted, gives it up when it is not that, and when nobody needs it", () => {
  const rate = new RateLimit();
  for (let nowMs = 0; nowMs < 10_000; nowMs += 100) {
    rate.start(nowMs);
    rate.recordAccepted(nowMs);
  }
  rate.learn(0, 10_000);
  assert.ok(Math.abs((rate.perSecond ?? 0) - 10) < 1, `${rate.perSecond}`);
  rate.unlearn();
  assert.equal(rate.known, false);
  rate.learn(0, 10_000);
  assert.equal(rate.known, true);
  for (let nowMs = 20_000; nowMs < 40_000; nowMs += 1000) rate.recordAccepted(nowMs);
  assert.equal(rate.known, false);
});

Deno.test("RateLimit lets one leave in the longest time that is waited for, however late a report's rate comes back", () => {
  const rate = new RateLimit(60_000);
  rate.recordReport({ remaining: 0, resetMs: 1e12, limit: 1, windowMs: 1e13 }, rate.start(0), 0, 0);
  assert.equal(rate.tokens(59_000), 0);
  assert.ok((rate.nextTokenMs(1000) ?? Infinity) <= 61_000);
  assert.equal(rate.tokens(61_000), 1);
});

Deno.test("RateLimit.endRest() lets attempts through before the time that was asked for", () => {
  const rate = new RateLimit(300_000);
  rate.rest(300_000, 1000);
  rate.endRest(5000);
  assert.equal(rate.restUntilMs, 5000);
  rate.endRest(9000);
  assert.equal(rate.restUntilMs, 5000);
});
