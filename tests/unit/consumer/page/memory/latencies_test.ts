// Percentiles of the last minute.

import assert from "node:assert/strict";
import { Latencies } from "../../../../../consumer/page/memory/latencies.ts";

const near = (value: number | null, expected: number) =>
  assert.ok(
    value !== null && Math.abs(value - expected) <= expected * 0.1,
    `${value} is not about ${expected}`,
  );

Deno.test("Latencies.percentiles() are within a tenth of the true ones", () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 10_000; ms++) latencies.record(ms, 1000);
  const { p50, p95, p99 } = latencies.percentiles(1000);
  near(p50, 5000);
  near(p95, 9500);
  near(p99, 9900);
});

Deno.test("Latencies.percentiles() forget what is older than a minute, in parts of ten seconds", () => {
  const latencies = new Latencies();
  latencies.record(100, 0);
  latencies.record(9000, 45_000);
  near(latencies.percentiles(50_000).p50, 100);
  near(latencies.percentiles(70_000).p50, 9000);
  assert.deepEqual(latencies.percentiles(200_000), { p50: null, p95: null, p99: null });
});

Deno.test("Latencies.record() takes records from the future and from years ago", () => {
  const latencies = new Latencies();
  latencies.record(-5000, 0);
  assert.equal(latencies.percentiles(0).p50, 0);
  latencies.record(1e15, 0);
  assert.ok((latencies.percentiles(0).p99 ?? 0) > 1e11);
});
