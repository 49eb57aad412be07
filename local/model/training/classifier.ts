// The trained classifier: embeddings and words of a ticket in, calibrated probabilities of the trained labels out. Pure.

import { lowestBetween } from "./golden_section.ts";
import {
  learnLexicalWeights,
  LEXICAL_DIMENSIONS,
  lexicalVector,
  type LexicalWeights,
} from "./lexical_features.ts";
import {
  type Example,
  type Features,
  scores,
  softmax,
  type SoftmaxRegression,
  trainSoftmaxRegression,
} from "./softmax_regression.ts";
import type { EmbeddedTicket } from "../embedding/ticket_embedding.ts";
import { fnv1a, TRAINED_LABELS, type TrainedLabel } from "../tickets.ts";

/** How much a ticket's words weigh beside its embeddings; measured, see README.md. */
const LEXICAL_SHARE = 0.7;
/** Embeddings have length 1; longer ones learn faster than their words. */
const EMBEDDING_SHARE = 3;
const EPOCHS = 10;
const LEARNING_RATE = 0.1;
const PENALTY = 1e-4;
const FOLD_COUNT = 4;

/** A labelled ticket as the classifier sees it. */
export interface EmbeddedExample extends EmbeddedTicket {
  readonly id: string;
  readonly label: TrainedLabel;
}

/** A trained classifier. */
export interface TicketClassifier {
  readonly weights: LexicalWeights;
  readonly regression: SoftmaxRegression;
  /** What scores are divided by so that 80% sure is right 80% of the time. */
  readonly temperature: number;
}

/** Trains on every example; the temperature comes from folds that were each left out once. Deterministic. */
export function trainClassifier(examples: readonly EmbeddedExample[]): TicketClassifier {
  return { ...fit(examples), temperature: fitTemperature(outOfFoldScores(examples)) };
}

/** The probability of each trained label, in the order of TRAINED_LABELS; they sum to 1. */
export function labelProbabilities(classifier: TicketClassifier, ticket: EmbeddedTicket): number[] {
  return softmax(
    scores(classifier.regression, featuresOf(ticket, classifier.weights)),
    classifier.temperature,
  );
}

interface Scored {
  readonly scores: readonly number[];
  readonly target: number;
}

function fit(examples: readonly EmbeddedExample[]): Omit<TicketClassifier, "temperature"> {
  const weights = learnLexicalWeights(examples.map(({ gist }) => gist));
  const rows: Example[] = examples.map((example) => ({
    features: featuresOf(example, weights),
    target: TRAINED_LABELS.indexOf(example.label),
  }));
  const regression = trainSoftmaxRegression(rows, {
    classCount: TRAINED_LABELS.length,
    denseSize: examples[0]?.embedding.length ?? 0,
    sparseSize: LEXICAL_DIMENSIONS,
    epochs: EPOCHS,
    learningRate: LEARNING_RATE,
    penalty: PENALTY,
  });
  return { weights, regression };
}

function featuresOf({ gist, embedding }: EmbeddedTicket, weights: LexicalWeights): Features {
  const { indices, values } = lexicalVector(gist, weights);
  return {
    dense: embedding.map((component) => component * EMBEDDING_SHARE),
    sparse: { indices, values: values.map((value) => value * LEXICAL_SHARE) },
  };
}

function outOfFoldScores(examples: readonly EmbeddedExample[]): readonly Scored[] {
  const foldOf = (id: string): number => fnv1a(`fold ${id}`) % FOLD_COUNT;
  return Array.from({ length: FOLD_COUNT }, (_, fold) => fold).flatMap((fold) => {
    const { weights, regression } = fit(examples.filter(({ id }) => foldOf(id) !== fold));
    return examples.filter(({ id }) => foldOf(id) === fold).map((example) => ({
      scores: scores(regression, featuresOf(example, weights)),
      target: TRAINED_LABELS.indexOf(example.label),
    }));
  });
}

/** The temperature under which the scores explain the targets best (Guo et al. 2017). */
export function fitTemperature(rows: readonly Scored[]): number {
  return Math.exp(lowestBetween(Math.log(0.1), Math.log(10), (log) => surprise(rows, Math.exp(log))));
}

function surprise(rows: readonly Scored[], temperature: number): number {
  return rows.reduce((sum, row) => sum - Math.log(softmax(row.scores, temperature)[row.target] || 1e-12), 0);
}
