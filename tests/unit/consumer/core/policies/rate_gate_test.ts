// How attempts are spaced out.

import assert from "node:assert/strict";
import { RateGate } from "../../../../../consumer/core/policies/rate_gate.ts";

/** How many leave within so many ms when as many as may try every `everyMs`. */
function leave(gate: RateGate, fromMs: number, toMs: number, everyMs: number): number {
  let count = 0;
  for (let nowMs = fromMs; nowMs < toMs; nowMs += everyMs) {
    for (; gate.admits(nowMs); count++) gate.recordSent(nowMs);
  }
  return count;
}

Deno.test("RateGate lets all pass until a rate is set, and again when it is taken away", () => {
  const gate = new RateGate();
  for (let each = 0; each < 1000; each++) gate.recordSent(0);
  assert.equal(gate.admits(0), true);
  gate.setRate(1, 0);
  gate.recordSent(0);
  assert.equal(gate.admits(0), false);
  gate.setRate(undefined, 0);
  assert.equal(gate.admits(0), true);
});

Deno.test("RateGate keeps the rate however late its timer fires, and never makes up for an idle time", () => {
  for (const everyMs of [1, 7, 40, 90]) {
    const gate = new RateGate();
    gate.setRate(50, 0);
    const sent = leave(gate, 0, 10_000, everyMs);
    assert.ok(sent >= 495 && sent <= 505, `${sent} where it is asked every ${everyMs} ms`);
    // A minute without anything to send.
    const burst = leave(gate, 70_000, 80_000, everyMs);
    assert.ok(burst <= 510, `${burst} after an idle time`);
  }
});

Deno.test("RateGate turns a wait into one of the new rate, in both directions", () => {
  const gate = new RateGate();
  gate.setRate(1, 0);
  gate.recordSent(0);
  gate.setRate(10, 0);
  assert.equal(gate.nextMs, 100);
  gate.setRate(0.5, 50);
  assert.equal(gate.nextMs, 1050);
  gate.setRate(0, 50);
  assert.equal(gate.nextMs, Infinity);
  assert.equal(gate.admits(1e12), false);
  gate.setRate(1, 60);
  assert.equal(gate.nextMs, 1050);
});
