import assert from "node:assert/strict";
import fc from "fast-check";
import {
  DeadLetterBudget,
  TOKEN_EVERY_MS,
} from "../../../../../consumer/core/policies/dead_letter_budget.ts";

Deno.test("DeadLetterBudget starts with its burst and refuses when that is spent", () => {
  const budget = new DeadLetterBudget({ burst: 2, share: 0.02 }, 0);
  assert.deepEqual([budget.take(0), budget.take(0), budget.take(0)], [true, true, false]);
});

Deno.test("DeadLetterBudget earns one token for fifty successes at 2%", () => {
  const budget = new DeadLetterBudget({ burst: 1, share: 0.02 }, 0);
  budget.take(0);
  for (let success = 1; success < 50; success++) budget.recordSucceeded();
  assert.equal(budget.take(0), false);
  budget.recordSucceeded();
  assert.equal(budget.take(0), true);
});

Deno.test("DeadLetterBudget earns one token every ten seconds, and says when", () => {
  const budget = new DeadLetterBudget({ burst: 1, share: 0 }, 0);
  budget.take(0);
  assert.equal(budget.nextMs(0), TOKEN_EVERY_MS);
  assert.equal(budget.take(TOKEN_EVERY_MS - 1), false);
  assert.equal(budget.take(TOKEN_EVERY_MS), true);
});

Deno.test("DeadLetterBudget.nextMs() is never in the past while there is no token, so nothing spins", () => {
  const waits = fc.array(fc.integer({ min: 0, max: 12_345 }), { maxLength: 60 });
  fc.assert(fc.property(waits, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
    const budget = new DeadLetterBudget({ burst: 3, share }, 0);
    let nowMs = 0;
    for (const waitMs of all) {
      nowMs += waitMs;
      budget.recordSucceeded();
      const taken = budget.take(nowMs);
      if (taken) continue;
      assert.ok(budget.nextMs(nowMs) > nowMs);
      nowMs = budget.nextMs(nowMs);
      assert.equal(budget.take(nowMs), true);
    }
  }));
});

Deno.test("DeadLetterBudget.allow() lets more through than the burst, and successes do not take it back", () => {
  const budget = new DeadLetterBudget({ burst: 1, share: 0 }, 0);
  budget.allow(3);
  assert.equal(budget.tokens(TOKEN_EVERY_MS), 4);
});

Deno.test("DeadLetterBudget.recordSucceeded() never lowers what an operator allowed", () => {
  const budget = new DeadLetterBudget({ burst: 1, share: 0.5 }, 0);
  budget.allow(3);
  budget.recordSucceeded();
  assert.equal(budget.tokens(0), 4);
});
