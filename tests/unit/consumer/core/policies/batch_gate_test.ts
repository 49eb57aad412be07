import assert from "node:assert/strict";
import fc from "fast-check";
import { BatchGate } from "../../../../../consumer/core/policies/batch_gate.ts";

const config = { size: 3, lingerMs: 1000 };

function start(gate: BatchGate, count: number): void {
  for (let each = 0; each < count; each++) gate.recordStarted();
}

Deno.test("BatchGate admits a full batch at once, and the next one when all of it is settled", () => {
  const gate = new BatchGate(config);
  assert.equal(gate.admits(5, true, 0), true);
  start(gate, 3);
  assert.equal(gate.admits(2, true, 0), false);
  gate.recordEnded();
  gate.recordEnded();
  assert.equal(gate.admits(3, true, 0), false);
  gate.recordEnded();
  assert.equal(gate.isIdle(3), true);
  assert.equal(gate.admits(3, true, 0), true);
});

Deno.test("BatchGate lets a part-filled batch leave after its linger, and says when", () => {
  const gate = new BatchGate(config);
  assert.equal(gate.admits(1, true, 100), false);
  assert.equal(gate.lingerUntilMs, 1100);
  assert.equal(gate.admits(2, true, 1099), false);
  assert.equal(gate.admits(2, true, 1100), true);
  assert.equal(gate.lingerUntilMs, undefined);
});

Deno.test("BatchGate begins no batch while it may not, and then has nothing to wait for", () => {
  const gate = new BatchGate(config);
  assert.equal(gate.admits(5, false, 0), false);
  assert.equal(gate.lingerUntilMs, undefined);
});

Deno.test("BatchGate.isIdle() when records of an open batch went with their partition", () => {
  const gate = new BatchGate(config);
  gate.admits(3, true, 0);
  start(gate, 1);
  gate.recordEnded();
  assert.equal(gate.isIdle(2), false);
  assert.equal(gate.isIdle(0), true);
});

Deno.test("BatchGate takes a probe into its batch", () => {
  const gate = new BatchGate(config);
  gate.recordStarted();
  assert.equal(gate.admits(9, true, 0), false);
  gate.recordEnded();
  assert.equal(gate.admits(9, true, 0), true);
});

Deno.test("BatchGate never has more than a batch unsettled", () => {
  const steps = fc.array(fc.constantFrom("admit", "admit", "end", "wait"), { maxLength: 200 });
  fc.assert(fc.property(steps, fc.integer({ min: 1, max: 9 }), (all, size) => {
    const gate = new BatchGate({ size, lingerMs: 5 });
    let [unsettled, nowMs] = [0, 0];
    for (const step of all) {
      if (step === "wait") nowMs += 3;
      if (step === "end" && unsettled > 0) {
        gate.recordEnded();
        unsettled -= 1;
      }
      if (step === "admit" && gate.admits(4, true, nowMs)) {
        gate.recordStarted();
        unsettled += 1;
      }
      assert.ok(unsettled <= size);
    }
  }));
});
