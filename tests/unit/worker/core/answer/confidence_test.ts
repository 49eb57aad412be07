// Tests of the worker's confidence.

import assert from "node:assert/strict";
import { calibrated, spanConfidence } from "../../../../../worker/core/answer/confidence.ts";

const tokensOf = (...parts: readonly (readonly [string, number])[]) =>
  parts.map(([token, probability]) => ({ token, logprob: Math.log(probability) }));

/** Where a text stands in another. */
const spanOf = (content: string, text: string) => {
  const from = content.lastIndexOf(text);
  return { from, to: from + text.length };
};
const BUG = '{"category":"bug"}';

Deno.test("spanConfidence() multiplies the tokens that make up the category and no others", () => {
  const content = '{"category":"feature_request","reason":"x"}';
  const tokens = tokensOf(['{"', 0.1], ['category":"', 0.2], ["feature", 0.8], ["_request", 0.5], [
    '","reason',
    0.1,
  ], [
    '":"x"}',
    0.1,
  ]);
  const confidence = spanConfidence(content, spanOf(content, "feature_request"), tokens);
  assert.ok(Math.abs((confidence ?? 0) - 0.4) < 1e-9);
});

Deno.test("spanConfidence() counts a token that only overlaps the category", () => {
  const tokens = tokensOf(['{"category":"b', 0.5], ["ug", 0.5], ['"}', 0.1]);
  assert.ok(Math.abs((spanConfidence(BUG, spanOf(BUG, "bug"), tokens) ?? 0) - 0.25) < 1e-9);
});

Deno.test("spanConfidence() takes the category of the answer and not the one in the thoughts before it", () => {
  const content = `<think>${BUG}</think>${BUG}`;
  const tokens = tokensOf(
    ["<think>", 1],
    ['{"category":"', 1],
    ["bug", 0.1],
    ['"}</think>{"category":"', 1],
    [
      "bug",
      0.6,
    ],
    ['"}', 1],
  );
  assert.ok(Math.abs((spanConfidence(content, spanOf(content, "bug"), tokens) ?? 0) - 0.6) < 1e-9);
});

Deno.test("spanConfidence() is null without tokens, without a place, or when tokens and content disagree", () => {
  const span = spanOf(BUG, "bug");
  assert.equal(spanConfidence(BUG, span, []), null);
  assert.equal(spanConfidence(BUG, undefined, tokensOf([BUG, 1])), null);
  assert.equal(spanConfidence(BUG, span, tokensOf(["{", 1])), null);
  assert.equal(spanConfidence(BUG, span, tokensOf(['{"category":"', 1], ["cow", 1], ['"}', 1])), null);
  assert.equal(spanConfidence(BUG, span, [{ token: BUG, logprob: NaN }]), null);
});

Deno.test("calibrated() takes confidences down above temperature 1, up below, and keeps their order", () => {
  assert.equal(calibrated(0.9, 1), 0.9);
  assert.ok(Math.abs(calibrated(0.9, 2) - 0.75) < 1e-9);
  assert.ok(calibrated(0.9, 0.5) > 0.98);
  assert.ok(calibrated(0.6, 3) < calibrated(0.7, 3));
  assert.deepEqual([calibrated(0, 2), calibrated(1, 2), calibrated(0.5, 2)], [0, 1, 0.5]);
});
