// The last hour as columns.

import assert from "node:assert/strict";
import { historyJson } from "../../../../consumer/page/history_json.ts";

Deno.test("historyJson() makes rates of what came between samples", () => {
  const sample = { backlog: 3, oldestAgeMs: null };
  const samples = [
    { ...sample, atMs: 10_000, settled: 100, arrived: 200 },
    { ...sample, atMs: 15_000, settled: 150, arrived: 200, oldestAgeMs: 1500 },
    { ...sample, atMs: 17_000, settled: 151, arrived: 210, backlog: 9 },
  ];
  assert.deepEqual(historyJson(samples), {
    time: [15, 17],
    arrived: [0, 5],
    settled: [10, 0.5],
    backlog: [3, 9],
    oldest_age_s: [1.5, null],
  });
  assert.deepEqual(historyJson(samples.slice(0, 1)).time, []);
});
