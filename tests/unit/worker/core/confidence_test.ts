// Tests of the worker's confidence.

import assert from "node:assert/strict";
import { calibrated, categoryConfidence } from "../../../../worker/core/confidence.ts";

const tokensOf = (...parts: readonly (readonly [string, number])[]) =>
  parts.map(([token, probability]) => ({ token, logprob: Math.log(probability) }));

Deno.test("categoryConfidence() multiplies the tokens that make up the category and no others", () => {
  const content = '{"category":"feature_request","reason":"x"}';
  const tokens = tokensOf(['{"', 0.1], ['category":"', 0.2], ["feature", 0.8], ["_request", 0.5], [
    '","reason',
    0.1,
  ], [
    '":"x"}',
    0.1,
  ]);
  assert.ok(Math.abs((categoryConfidence(content, tokens) ?? 0) - 0.4) < 1e-9);
});

Deno.test("categoryConfidence() counts a token that only overlaps the category", () => {
  const tokens = tokensOf(['{"category":"b', 0.5], ["ug", 0.5], ['"}', 0.1]);
  assert.ok(Math.abs((categoryConfidence('{"category":"bug"}', tokens) ?? 0) - 0.25) < 1e-9);
});

Deno.test("categoryConfidence() takes all of a plain-text answer", () => {
  assert.ok(
    Math.abs((categoryConfidence("Billing.", tokensOf(["Billing", 0.7], [".", 1])) ?? 0) - 0.7) < 1e-9,
  );
});

Deno.test("categoryConfidence() is null without tokens, without a category, or when tokens and content disagree", () => {
  assert.equal(categoryConfidence('{"category":"bug"}', []), null);
  assert.equal(categoryConfidence('{"label":"bug"}', tokensOf(["x", 1])), null);
  assert.equal(categoryConfidence('{"category":"bug"}', tokensOf(["{", 1])), null);
  assert.equal(
    categoryConfidence('{"category":"bug"}', [{ token: '{"category":"bug"}', logprob: NaN }]),
    null,
  );
});

Deno.test("calibrated() takes confidences down above temperature 1, up below, and keeps their order", () => {
  assert.equal(calibrated(0.9, 1), 0.9);
  assert.ok(Math.abs(calibrated(0.9, 2) - 0.75) < 1e-9);
  assert.ok(calibrated(0.9, 0.5) > 0.98);
  assert.ok(calibrated(0.6, 3) < calibrated(0.7, 3));
  assert.deepEqual([calibrated(0, 2), calibrated(1, 2), calibrated(0.5, 2)], [0, 1, 0.5]);
});
