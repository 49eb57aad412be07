// Tests of the measures the local model is judged by.

import assert from "node:assert/strict";
import {
  accuracy,
  calibrationBins,
  confusionMatrix,
  expectedCalibrationError,
  labelMetrics,
  macroF1,
} from "../../../../../local/model/training/metrics.ts";

const labels = ["a", "b", "c"];
const judgements = ["a a", "a a", "a b", "b b", "b a", "c b"].map((pair) => {
  const [truth = "", answer = ""] = pair.split(" ");
  return { truth, answer };
});

Deno.test("confusionMatrix() has truths as rows and answers as columns", () => {
  assert.deepEqual(confusionMatrix(judgements, labels), [[2, 1, 0], [1, 1, 0], [0, 1, 0]]);
});

Deno.test("labelMetrics() computes precision, recall and F1 by hand-checked fractions", () => {
  const [a, b, c] = labelMetrics(judgements, labels);
  assert.deepEqual([a?.precision, a?.recall, a?.support], [2 / 3, 2 / 3, 3]);
  assert.deepEqual([b?.precision, b?.recall], [1 / 3, 1 / 2]);
  assert.deepEqual([c?.precision, c?.recall, c?.f1], [0, 0, 0]);
});

Deno.test("macroF1() counts every label that occurs the same", () => {
  assert.ok(Math.abs(macroF1(judgements, labels) - (2 / 3 + 0.4 + 0) / 3) < 1e-12);
  assert.equal(macroF1(judgements, [...labels, "never"]), macroF1(judgements, labels));
});

Deno.test("accuracy() is the share of right answers, and 0 of none", () => {
  assert.equal(accuracy(judgements), 0.5);
  assert.equal(accuracy([]), 0);
});

Deno.test("calibrationBins() puts a confidence of 1 into the last bin", () => {
  const bins = calibrationBins([{ confidence: 1, right: true }, { confidence: 0.05, right: false }]);
  assert.equal(bins.length, 10);
  assert.equal(bins[9]?.count, 1);
  assert.equal(bins[0]?.count, 1);
});

Deno.test("expectedCalibrationError() is the weighed gap between confidence and accuracy", () => {
  const sure = { confidence: 0.9, right: true };
  const wrong = { confidence: 0.9, right: false };
  assert.ok(Math.abs(expectedCalibrationError([sure, wrong]) - 0.4) < 1e-12);
  assert.equal(expectedCalibrationError([{ confidence: 1, right: true }]), 0);
});
