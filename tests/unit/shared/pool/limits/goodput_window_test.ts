// What a stretch of time says about the attempts in it.

import assert from "node:assert/strict";
import { GoodputWindow } from "../../../../../shared/pool/limits/goodput_window.ts";

function windowOf(latenciesMs: readonly number[]): GoodputWindow {
  const window = new GoodputWindow(0);
  latenciesMs.forEach((latencyMs, index) => window.record(true, latencyMs, 4, (index + 1) * 100));
  return window;
}

Deno.test("GoodputWindow.spread is that of the latencies' logarithms, whatever their unit", () => {
  assert.equal(windowOf([200, 200, 200]).spread, 0);
  assert.equal(windowOf([200]).spread, 0);
  const [quick, slow] = [[100, 100 * Math.E ** 2], [900, 900 * Math.E ** 2]].map((each) =>
    windowOf(each).spread
  );
  assert.ok(Math.abs((quick ?? 0) - 1) < 1e-9 && Math.abs((slow ?? 0) - 1) < 1e-9);
});

Deno.test("GoodputWindow.yield() is what its rate would be with latencies as usual, less what failed", () => {
  const window = windowOf([400, 400, 400, 400]);
  assert.ok(Math.abs(window.yield(400) - 4 / 400) < 1e-9);
  window.record(false, 5, 4, 400);
  assert.ok(Math.abs(window.yield(400) - 4 / 400 * 4 / 5) < 1e-9);
});
