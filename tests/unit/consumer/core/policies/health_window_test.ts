import assert from "node:assert/strict";
import { HealthWindow, VERDICT } from "../../../../../consumer/core/policies/health_window.ts";

const TOOK_MS = 100;

/** A window that has seen these first attempts, one every `everyMs`: `+` succeeded, `-` failed. */
function windowOf(outcomes: string, everyMs = 0, fromMs = 0): HealthWindow {
  const window = new HealthWindow();
  record(window, outcomes, everyMs, fromMs);
  return window;
}

function record(window: HealthWindow, outcomes: string, everyMs = 0, fromMs = 0): void {
  [...outcomes].forEach((outcome, each) => {
    const nowMs = fromMs + each * everyMs;
    if (outcome === "+") window.recordSuccess(TOOK_MS, nowMs);
    else window.recordFailure(nowMs);
  });
}

Deno.test("HealthWindow.judge() says poison while others succeed", () => {
  assert.deepEqual(windowOf("+++++-").judge(undefined, 0), { kind: "poison" });
});

Deno.test("HealthWindow.judge() asks when a record fails and nobody else is tried", () => {
  assert.deepEqual(windowOf("-").judge(undefined, 0), {
    kind: "ask",
    question: { counts: true, pauses: true },
  });
});

Deno.test("HealthWindow.judge() forgets successes after its window", () => {
  const window = windowOf("+++++");
  window.recordFailure(VERDICT.windowMs + 1);
  const { kind } = window.judge(undefined, VERDICT.windowMs + 1);
  assert.equal(kind, "ask");
});

Deno.test("HealthWindow.judge() lets a record lose another attempt after three successes of others", () => {
  const window = windowOf("+".repeat(20), 10);
  window.recordFailure(300);
  assert.deepEqual(window.judge(undefined, 300), { kind: "poison" });
  record(window, "++", 0, 310);
  assert.equal(window.judge(300, 320).kind, "ask");
  window.recordSuccess(TOOK_MS, 330);
  assert.deepEqual(window.judge(300, 340), { kind: "poison" });
});

Deno.test("HealthWindow.judge() takes no attempt twice from a record while everything fails", () => {
  const window = windowOf("+".repeat(20), 10);
  record(window, "-".repeat(2), 10, 300);
  assert.deepEqual(window.judge(300, 400), { kind: "unclear" });
});

Deno.test("HealthWindow.judge() takes attempts slowly, and only where /readyz says ready, while many fail and others succeed", () => {
  const window = windowOf("+-".repeat(16), 100);
  const nowMs = 3200;
  const readiness = { kind: "ask", question: { counts: true, pauses: false } };
  assert.deepEqual(window.judge(undefined, nowMs), readiness);
  assert.deepEqual(window.judge(nowMs - 1000, nowMs), { kind: "unclear" });
  assert.deepEqual(window.judge(nowMs - VERDICT.slowCountMs, nowMs), readiness);
});

Deno.test("HealthWindow.judge() sees within three failures that many fail now", () => {
  assert.equal(windowOf("+".repeat(30) + "+-+--").judge(undefined, 0).kind, "ask");
});

Deno.test("HealthWindow.judge() pauses when five fail in a row and /readyz says not ready", () => {
  const window = windowOf("+".repeat(20) + "-----");
  assert.deepEqual(window.judge(undefined, 0), { kind: "ask", question: { counts: false, pauses: true } });
});

Deno.test("HealthWindow.isOutage() takes a burst of bad records for none, however many they are", () => {
  const window = windowOf("+".repeat(20) + "-".repeat(1000));
  assert.equal(window.isOutage(VERDICT.rowLastsMinMs - 1), false);
  window.recordSuccess(TOOK_MS, VERDICT.rowLastsMinMs);
  assert.equal(window.isOutage(VERDICT.rowLastsMinMs), false);
});

Deno.test("HealthWindow.isOutage() waits for a row that chance does not make", () => {
  const window = windowOf("+".repeat(20) + "-".repeat(34));
  assert.equal(window.isOutage(VERDICT.rowLastsMinMs), false);
  window.recordFailure(VERDICT.rowLastsMinMs);
  assert.equal(window.isOutage(VERDICT.rowLastsMinMs), true);
});

Deno.test("HealthWindow.isOutage() expects longer rows where most records are bad", () => {
  const window = windowOf("---------+".repeat(50));
  record(window, "-".repeat(130));
  assert.equal(window.isOutage(VERDICT.rowLastsMinMs), false);
  record(window, "-".repeat(2));
  assert.equal(window.isOutage(VERDICT.rowLastsMinMs), true);
});

Deno.test("HealthWindow.isOutage() waits for what is on its way where successes take long", () => {
  const window = new HealthWindow();
  window.recordSuccess(3000, 0);
  record(window, "-".repeat(70));
  assert.equal(window.isOutage(8999), false);
  assert.equal(window.isOutage(9000), true);
});

Deno.test("HealthWindow.isOutage() is true of five records that fail one after the other, however slowly", () => {
  const everyMs = VERDICT.windowMs * 2;
  const window = windowOf("----", everyMs);
  assert.equal(window.isOutage(3 * everyMs), false);
  window.recordFailure(4 * everyMs);
  assert.equal(window.isOutage(4 * everyMs), true);
});

Deno.test("HealthWindow.isOutage() stays true until something succeeds", () => {
  const window = windowOf("-----", VERDICT.rowEndlessMaxMs);
  const nowMs = 5 * VERDICT.rowEndlessMaxMs;
  assert.equal(window.judge(undefined, nowMs).kind, "outage");
  window.clear();
  assert.equal(window.isOutage(nowMs), true);
  window.recordRecovery();
  assert.equal(window.isOutage(nowMs), false);
});

Deno.test("HealthWindow.triesPerSuccess is little changed by an outage", () => {
  const window = windowOf("+".repeat(100));
  record(window, "-".repeat(35));
  assert.equal(window.judge(undefined, VERDICT.rowLastsMinMs).kind, "outage");
  record(window, "-".repeat(1000));
  window.recordSuccess(TOOK_MS, VERDICT.rowLastsMinMs);
  assert.equal(Math.round(window.triesPerSuccess), 3);
});

Deno.test("HealthWindow.succeeds() is true while records go through that were never tried", () => {
  assert.equal(windowOf("").succeeds(0), false);
  assert.equal(windowOf("+").succeeds(0), true);
  assert.equal(windowOf("+").succeeds(VERDICT.windowMs + 1), false);
});
