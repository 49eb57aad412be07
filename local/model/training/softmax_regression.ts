// Multinomial logistic regression over a dense and a sparse part, trained by AdaGrad in a fixed order. Pure.

import type { SparseVector } from "./lexical_features.ts";

/** One ticket as the classifier sees it. */
export interface Features {
  readonly dense: Float32Array;
  readonly sparse: SparseVector;
}

/** One training example: its features and the index of its class. */
export interface Example {
  readonly features: Features;
  readonly target: number;
}

/** How training is done. */
export interface TrainingOptions {
  readonly classCount: number;
  readonly denseSize: number;
  readonly sparseSize: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** The L2 penalty on the weights that an example touches. */
  readonly penalty: number;
}

/** Trained weights: one row a class, each dense then sparse then bias. */
export interface SoftmaxRegression {
  readonly classCount: number;
  readonly denseSize: number;
  readonly sparseSize: number;
  readonly weights: Float32Array;
}

/** Learns the weights; the same examples in the same order give the same weights, bit for bit. */
export function trainSoftmaxRegression(
  examples: readonly Example[],
  options: TrainingOptions,
): SoftmaxRegression {
  const { classCount, denseSize, sparseSize } = options;
  const size = classCount * (denseSize + sparseSize + 1);
  const model = { classCount, denseSize, sparseSize, weights: new Float32Array(size) };
  const squares = new Float32Array(size).fill(1e-6);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const stride = coprimeStride(examples.length, epoch);
    for (let step = 0; step < examples.length; step++) {
      const example = examples[(step * stride + epoch) % examples.length];
      if (example !== undefined) learnFrom(example, model, squares, options);
    }
  }
  return model;
}

/** The score of each class before the softmax. */
export function scores(model: SoftmaxRegression, { dense, sparse }: Features): number[] {
  const { classCount, denseSize, sparseSize, weights } = model;
  const width = denseSize + sparseSize + 1;
  return Array.from({ length: classCount }, (_, row) => {
    const start = row * width;
    let sum = weights[start + width - 1] ?? 0;
    for (let at = 0; at < denseSize; at++) sum += (weights[start + at] ?? 0) * (dense[at] ?? 0);
    const { indices, values } = sparse;
    for (let at = 0; at < indices.length; at++) {
      sum += (weights[start + denseSize + (indices[at] ?? 0)] ?? 0) * (values[at] ?? 0);
    }
    return sum;
  });
}

/** Scores as probabilities that sum to 1; a temperature above 1 makes them less sure of themselves. */
export function softmax(values: readonly number[], temperature = 1): number[] {
  const highest = Math.max(...values);
  const powers = values.map((value) => Math.exp((value - highest) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function learnFrom(
  { features, target }: Example,
  model: SoftmaxRegression,
  squares: Float32Array,
  { learningRate, penalty }: TrainingOptions,
): void {
  const { denseSize, sparseSize, weights } = model;
  const { dense, sparse } = features;
  const width = denseSize + sparseSize + 1;
  const adjust = (at: number, error: number, value: number, decay: number): void => {
    const weight = weights[at] ?? 0;
    const gradient = error * value + decay * weight;
    const square = (squares[at] ?? 0) + gradient * gradient;
    squares[at] = square;
    weights[at] = weight - (learningRate * gradient) / Math.sqrt(square);
  };
  for (const [row, probability] of softmax(scores(model, features)).entries()) {
    const error = probability - (row === target ? 1 : 0);
    const start = row * width;
    for (let at = 0; at < denseSize; at++) adjust(start + at, error, dense[at] ?? 0, penalty);
    for (let at = 0; at < sparse.indices.length; at++) {
      adjust(start + denseSize + (sparse.indices[at] ?? 0), error, sparse.values[at] ?? 0, penalty);
    }
    adjust(start + width - 1, error, 1, 0);
  }
}

/** A step that visits every index once, another one each epoch, so that the order is mixed and repeatable. */
function coprimeStride(length: number, epoch: number): number {
  let stride = Math.max(1, Math.floor(length * 0.618) + epoch * 7);
  while (greatestCommonDivisor(stride, length) > 1) stride++;
  return stride;
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}
