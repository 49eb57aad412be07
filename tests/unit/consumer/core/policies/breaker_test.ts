import assert from "node:assert/strict";
import { Breaker, PROBE_FIRST_MS, PROBE_MAX_MS } from "../../../../../consumer/core/policies/breaker.ts";
import { status } from "../fixtures.ts";

Deno.test("Breaker probes after half a second, then after twice the wait each, up to fifteen seconds", () => {
  const breaker = new Breaker();
  breaker.open("outage", status(500), 0);
  const waits: number[] = [];
  let nowMs = 0;
  for (let probe = 0; probe < 8; probe++) {
    const atMs = breaker.probeAtMs ?? NaN;
    waits.push(atMs - nowMs);
    nowMs = atMs;
    breaker.probeSent();
    assert.equal(breaker.probeAtMs, undefined);
    breaker.probeFailed("outage", status(500), nowMs);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  assert.equal(PROBE_MAX_MS, 15_000);
});

Deno.test("Breaker.open() while open keeps since when, and takes the new cause", () => {
  const breaker = new Breaker();
  breaker.open("outage", status(500), 10);
  breaker.open("misconfigured", status(401), 20);
  assert.equal(breaker.pause?.sinceMs, 10);
  assert.equal(breaker.pause?.cause, "misconfigured");
});

Deno.test("Breaker.probeLost() probes again after the same wait", () => {
  const breaker = new Breaker();
  breaker.open("outage", undefined, 0);
  breaker.probeSent();
  breaker.probeInconclusive(600);
  assert.equal(breaker.probeAtMs, 600 + PROBE_FIRST_MS);
});

Deno.test("Breaker.hasten() lets the next probe leave now", () => {
  const breaker = new Breaker();
  breaker.open("outage", undefined, 0);
  breaker.probeSent();
  breaker.probeFailed("outage", status(500), 100);
  breaker.probeNow(150);
  assert.equal(breaker.probeAtMs, 150);
});

Deno.test("Breaker.bringForward() shortens a long wait, and never lengthens a short one", () => {
  const breaker = new Breaker();
  breaker.open("outage", undefined, 0);
  breaker.probeSooner(100);
  assert.equal(breaker.probeAtMs, PROBE_FIRST_MS);
  for (let probe = 0; probe < 5; probe++) {
    breaker.probeSent();
    breaker.probeFailed("outage", status(500), 1000);
  }
  breaker.probeSooner(2000);
  assert.equal(breaker.probeAtMs, 2000 + PROBE_FIRST_MS);
});

Deno.test("Breaker.close() ends the pause", () => {
  const breaker = new Breaker();
  breaker.open("outage", undefined, 0);
  breaker.close();
  assert.equal(breaker.pause, undefined);
  assert.equal(breaker.probeAtMs, undefined);
});
