import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffMs } from "../../../../../consumer/core/policies/backoff.ts";

const config = { firstMs: 200, maxMs: 30_000 };

Deno.test("backoffMs() doubles its ceiling with every failure, up to the longest wait", () => {
  const ceilings = [1, 2, 3, 8, 9, 1000].map((failures) => backoffMs(config, failures, () => 1 - 1e-12));
  assert.deepEqual(ceilings, [200, 400, 800, 25_600, 30_000, 30_000]);
});

Deno.test("backoffMs() is a whole number from 1 to the longest wait", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(fc.nat(), random, fc.integer({ min: 1, max: 100_000 }), (failures, roll, maxMs) => {
    const waitMs = backoffMs({ firstMs: 1, maxMs }, failures, () => roll);
    assert.ok(Number.isInteger(waitMs) && waitMs >= 1 && waitMs <= maxMs, String(waitMs));
  }));
});
