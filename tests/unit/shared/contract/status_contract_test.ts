import assert from "node:assert/strict";
import fc from "fast-check";
import type { Answer, Outcome } from "../../../../shared/contract/outcome.ts";
import { contractAsMarkdown, ruleFor, STATUS_CONTRACT } from "../../../../shared/contract/status_contract.ts";

const answer = (status: number, more: Partial<Answer> = {}): Outcome => ({ kind: "answer", status, ...more });
const dispositions = (codes: readonly number[]) => codes.map((code) => ruleFor(answer(code)).disposition);

Deno.test("ruleFor() settles every 2xx", () => {
  for (let code = 200; code < 300; code++) assert.equal(ruleFor(answer(code)).disposition, "settle");
});

Deno.test("ruleFor() dead-letters what says that the record itself is bad", () => {
  assert.deepEqual(dispositions([400, 413, 415, 422]), Array(4).fill("dead_letter"));
});

Deno.test("ruleFor() takes 3xx, 401, 403, 404, 405 and 501 for a misconfiguration", () => {
  assert.deepEqual(dispositions([300, 301, 307, 308, 399, 401, 403, 404, 405, 501]), Array(10).fill("pause"));
});

Deno.test("ruleFor() tells a missing ticket from a missing route by the problem's type", () => {
  const missing = ruleFor(answer(404, { problemType: "https://example.test/problems/ticket-not-found" }));
  assert.deepEqual([missing.disposition, missing.counts], ["retry", "always"]);
  assert.equal(ruleFor(answer(404, { problemType: "about:blank" })).disposition, "pause");
});

Deno.test("ruleFor() counts no attempt for 409, 425, 429 and 503 with Retry-After", () => {
  const outcomes = [answer(409), answer(425), answer(429), answer(503, { retryAfterMs: 0 })];
  assert.deepEqual(outcomes.map((outcome) => ruleFor(outcome).counts), Array(4).fill("never"));
  assert.deepEqual(outcomes.map((outcome) => ruleFor(outcome).slows), [
    "nobody",
    "nobody",
    "pool",
    "replica",
  ]);
});

Deno.test("ruleFor() leaves every other failure to the verdict", () => {
  const outcomes: Outcome[] = [
    ...[408, 418, 500, 502, 503, 504, 599].map((code) => answer(code)),
    { kind: "timeout", detail: "" },
    { kind: "reset", detail: "" },
    { kind: "refused", detail: "" },
  ];
  for (const outcome of outcomes) assert.equal(ruleFor(outcome).counts, "verdict");
});

Deno.test("ruleFor() lets Ackpool-Action override any status", () => {
  const actions = fc.constantFrom("settle", "retry", "dead-letter");
  fc.assert(fc.property(fc.integer({ min: 100, max: 599 }), actions, (status, action) => {
    assert.equal(ruleFor(answer(status, { action })).disposition, action.replace("-", "_"));
  }));
});

Deno.test("ruleFor() has a rule for every status and never settles by accident", () => {
  for (let code = 100; code < 600; code++) {
    const { disposition } = ruleFor(answer(code));
    assert.equal(disposition === "settle", code >= 200 && code < 300);
  }
});

Deno.test("contractAsMarkdown() has a row for every rule", () => {
  assert.equal(contractAsMarkdown().split("\n").length, STATUS_CONTRACT.length + 2);
});
