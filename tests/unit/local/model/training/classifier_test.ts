// Tests of the local model's learning: regression, temperature, words, split.

import assert from "node:assert/strict";
import fc from "fast-check";
import { fitTemperature } from "../../../../../local/model/training/classifier.ts";
import { lowestBetween } from "../../../../../local/model/training/golden_section.ts";
import {
  learnLexicalWeights,
  lexicalTerms,
  lexicalVector,
} from "../../../../../local/model/training/lexical_features.ts";
import {
  scores,
  softmax,
  trainSoftmaxRegression,
} from "../../../../../local/model/training/softmax_regression.ts";
import { isHeldOut, parseLabelledTickets, splitTickets } from "../../../../../local/model/tickets.ts";

const nothing = { indices: new Int32Array(0), values: new Float32Array(0) };
const options = { classCount: 3, denseSize: 2, sparseSize: 4, epochs: 50, learningRate: 0.2, penalty: 1e-4 };
const corners = [[1, 0], [0, 1], [-1, -1]].map((dense, target) => ({
  features: { dense: Float32Array.from(dense), sparse: nothing },
  target,
}));

Deno.test("softmax() gives probabilities that sum to 1 and keep the order of the scores", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: -500, max: 500, noNaN: true }), { minLength: 1, maxLength: 9 }),
    fc.double({ min: 0.1, max: 10, noNaN: true }),
    (values, temperature) => {
      const odds = softmax(values, temperature);
      assert.ok(Math.abs(odds.reduce((sum, one) => sum + one, 0) - 1) < 1e-9);
      assert.equal(Math.max(...odds), odds[values.indexOf(Math.max(...values))]);
    },
  ));
});

Deno.test("softmax() is less sure of itself at a higher temperature", () => {
  assert.ok((softmax([3, 1], 2)[0] ?? 0) < (softmax([3, 1], 1)[0] ?? 0));
});

Deno.test("trainSoftmaxRegression() tells apart what a line can tell apart", () => {
  const model = trainSoftmaxRegression(corners, options);
  for (const { features, target } of corners) {
    const found = scores(model, features);
    assert.equal(found.indexOf(Math.max(...found)), target);
  }
});

Deno.test("trainSoftmaxRegression() learns from sparse features alone", () => {
  const examples = [0, 1, 2].map((target) => ({
    features: {
      dense: new Float32Array(2),
      sparse: { indices: Int32Array.of(target, 3), values: Float32Array.of(1, 1) },
    },
    target,
  }));
  const model = trainSoftmaxRegression(examples, options);
  for (const { features, target } of examples) {
    const found = scores(model, features);
    assert.equal(found.indexOf(Math.max(...found)), target);
  }
});

Deno.test("trainSoftmaxRegression() is deterministic", () => {
  assert.deepEqual(trainSoftmaxRegression(corners, options), trainSoftmaxRegression(corners, options));
});

Deno.test("fitTemperature() cools scores that are always right and warms scores that are often wrong", () => {
  assert.ok(fitTemperature([{ scores: [1, 0], target: 0 }]) < 0.2);
  const halfWrong = [{ scores: [4, 0], target: 0 }, { scores: [4, 0], target: 1 }];
  assert.ok(fitTemperature(halfWrong) > 5);
});

Deno.test("fitTemperature() finds the temperature that the answers were drawn with", () => {
  const right = { scores: [2 * Math.log(3), 0], target: 0 };
  const found = fitTemperature([right, right, right, { ...right, target: 1 }]);
  assert.ok(Math.abs(found - 2) < 0.01, `found ${found}`);
});

Deno.test("lowestBetween() finds the bottom of a valley", () => {
  assert.ok(Math.abs(lowestBetween(-10, 10, (at) => (at - 3) ** 2) - 3) < 1e-6);
});

Deno.test("lexicalTerms() keeps accents and case off and adds pairs and pieces", () => {
  const terms = lexicalTerms("Más FACTURAS");
  for (const term of ["mas", "facturas", "mas facturas", "#<fac", "#uras"]) {
    assert.ok(terms.includes(term), term);
  }
});

Deno.test("lexicalVector() has length 1 and weighs rare words more than common ones", () => {
  const weights = learnLexicalWeights(["the cat", "the dog", "the bird"]);
  const { values } = lexicalVector("the cat", weights);
  assert.ok(Math.abs(Math.hypot(...values) - 1) < 1e-6);
  const rareOnly = lexicalVector("cat", weights);
  const commonOnly = lexicalVector("the", weights);
  assert.ok(Math.max(...rareOnly.values) > 0 && Math.max(...commonOnly.values) > 0);
  assert.equal(lexicalVector("…", weights).indices.length, 0);
});

Deno.test("splitTickets() puts every ticket on one side, about a fifth of them held out", () => {
  const ids = Array.from({ length: 1000 }, (_, at) => `t${at}`);
  const held = ids.filter(isHeldOut).length;
  assert.ok(held > 150 && held < 250, `${held} of 1000`);
  const lines = ids.slice(0, 20).map((id) =>
    JSON.stringify({ id, subject: "s", body: "b", category: "bug", language: "en", synthetic: true })
  ).join("\n");
  const { training, heldOut } = splitTickets(parseLabelledTickets(lines));
  assert.equal(training.length + heldOut.length, 20);
  assert.ok(heldOut.every(({ id }) => isHeldOut(id)) && !training.some(({ id }) => isHeldOut(id)));
});

Deno.test("parseLabelledTickets() refuses a label outside the five", () => {
  const line = JSON.stringify({
    id: "t1",
    subject: "",
    body: "",
    category: "spam",
    language: "en",
    synthetic: true,
  });
  assert.throws(() => parseLabelledTickets(line));
});
