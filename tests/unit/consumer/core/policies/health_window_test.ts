import assert from "node:assert/strict";
import { HealthWindow, VERDICT } from "../../../../../consumer/core/policies/health_window.ts";

const subjects = (count: number) => Array.from({ length: count }, (_, each) => ({ each }));

Deno.test("HealthWindow.judge() says poison while others succeed", () => {
  const window = new HealthWindow();
  const bad = {};
  for (let each = 0; each < 5; each++) window.recordSuccess(100);
  window.recordFailure(bad, 200);
  assert.equal(window.judge(bad, undefined, 200), "poison");
});

Deno.test("HealthWindow.judge() says outage when most records fail", () => {
  const window = new HealthWindow();
  window.recordSuccess(0);
  for (const failing of subjects(5)) window.recordFailure(failing, 10);
  assert.equal(window.judge({}, undefined, 20), "outage");
});

Deno.test("HealthWindow.judge() asks when there is too little other traffic", () => {
  const window = new HealthWindow();
  const bad = {};
  window.recordFailure(bad, 0);
  assert.equal(window.judge(bad, undefined, 0), "ask");
});

Deno.test("HealthWindow.judge() does not take successes from before the record's last failure for health", () => {
  const window = new HealthWindow();
  const bad = {};
  for (let each = 0; each < 20; each++) window.recordSuccess(100);
  window.recordFailure(bad, 200);
  assert.equal(window.judge(bad, 200, 300), "ask");
});

Deno.test("HealthWindow.judge() forgets successes after its window", () => {
  const window = new HealthWindow();
  for (let each = 0; each < 20; each++) window.recordSuccess(0);
  assert.equal(window.judge({}, undefined, VERDICT.windowMs + 1), "ask");
});

Deno.test("HealthWindow.judge() says outage when nothing succeeds and one record after the other fails, however slowly", () => {
  const window = new HealthWindow();
  const failing = subjects(VERDICT.least);
  const verdicts = failing.map((each, index) => {
    const nowMs = index * VERDICT.windowMs * 2;
    window.recordFailure(each, nowMs);
    return window.judge(each, nowMs - 1, nowMs);
  });
  assert.deepEqual(verdicts, ["ask", "ask", "ask", "ask", "outage"]);
});

Deno.test("HealthWindow counts a record that keeps failing once in ten seconds", () => {
  const window = new HealthWindow();
  const bad = {};
  window.recordSuccess(0);
  window.recordSuccess(0);
  for (let each = 0; each < VERDICT.samples; each++) window.recordFailure(bad, each);
  assert.equal(window.judge({}, undefined, VERDICT.samples), "poison");
});

Deno.test("HealthWindow.clear() forgets samples but not that nothing has succeeded since", () => {
  const window = new HealthWindow();
  for (const failing of subjects(4)) window.recordFailure(failing, 0);
  window.clear();
  const bad = {};
  window.recordFailure(bad, 1);
  assert.equal(window.judge(bad, undefined, 1), "outage");
});

Deno.test("HealthWindow.recordSuccess() ends the row of failures", () => {
  const window = new HealthWindow();
  for (const failing of subjects(4)) window.recordFailure(failing, 0);
  window.recordSuccess(1);
  window.clear();
  const bad = {};
  window.recordFailure(bad, 2);
  assert.equal(window.judge(bad, undefined, 2), "ask");
});
