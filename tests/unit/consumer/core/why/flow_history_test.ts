import assert from "node:assert/strict";
import { FlowHistory } from "../../../../../consumer/core/why/flow_history.ts";

const look = (atMs: number, settled: number, backlog: number) => ({
  atMs,
  settled,
  backlog,
  oldestAgeMs: null,
});

Deno.test("FlowHistory.rates() counts what came as what was settled and what waits now", () => {
  const history = new FlowHistory();
  assert.equal(history.rates(), undefined);
  history.record(look(0, 0, 100), 2);
  assert.equal(history.rates(), undefined);
  history.record(look(10_000, 200, 50), 2);
  assert.deepEqual(history.rates(), { arrivedPerSecond: 15, settledPerSecond: 20, overMs: 10_000 });
});

Deno.test("FlowHistory.record() takes the backlog of partitions that were just assigned for no arrival", () => {
  const history = new FlowHistory();
  history.record(look(0, 0, 0), 0);
  history.record(look(5000, 0, 9000), 2);
  history.record(look(10_000, 10, 8990), 2);
  assert.equal(history.rates()?.arrivedPerSecond, 0);
});

Deno.test("FlowHistory.samples() keeps an hour, one each five seconds, and the latest look", () => {
  const history = new FlowHistory();
  for (let second = 0; second <= 5000; second++) history.record(look(second * 1000, second, 0), 1);
  const samples = history.samples();
  assert.equal(samples.length, 720);
  assert.equal(samples.at(-1)?.atMs, 5_000_000);
  assert.equal((samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0), 719 * 5000);
});
