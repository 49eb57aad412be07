// The label a ticket gets among the allowed ones, trained or new. Pure.

import { TRAINED_LABELS } from "../tickets.ts";
import { softmax } from "../training/softmax_regression.ts";

/** A label with its probability. */
export interface LabelProbability {
  readonly label: string;
  readonly probability: number;
}

/** How sharply likeness to what is said about a label tells labels apart; measured, see README.md. */
const SHARPNESS = 18;

/** The allowed labels the classifier has never seen. */
export function untrainedLabels(allowed: readonly string[]): readonly string[] {
  return allowed.filter((label) => !isTrained(label));
}

/**
 * The allowed labels from most to least probable; probabilities sum to 1. Among trained labels the classifier
 * decides. Labels it has never seen take the share that the likeness of ticket and label earns them
 * among all allowed labels: a guess, and a weaker one than a trained label's.
 *
 * @param trained the classifier's probabilities in the order of TRAINED_LABELS
 * @param likeness the cosine between the ticket and what is known of each allowed label; asked only when a label is new
 */
export function rankLabels(
  allowed: readonly string[],
  trained: readonly number[],
  likeness: (label: string) => number,
): readonly LabelProbability[] {
  const isNew = allowed.some((label) => !isTrained(label));
  const shares = isNew ? softmax(allowed.map((label) => SHARPNESS * likeness(label))) : allowed.map(() => 0);
  const newShare = allowed.reduce((sum, label, at) => isTrained(label) ? sum : sum + (shares[at] ?? 0), 0);
  const known = allowed.reduce((sum, label) => sum + trainedProbability(label, trained), 0);
  return allowed.map((label, at) => ({
    label,
    probability: isTrained(label)
      ? (1 - newShare) * (known === 0 ? 0 : trainedProbability(label, trained) / known)
      : shares[at] ?? 0,
  })).sort((left, right) => right.probability - left.probability);
}

function trainedProbability(label: string, trained: readonly number[]): number {
  return trained[TRAINED_LABELS.findIndex((one) => one === label)] ?? 0;
}

function isTrained(label: string): boolean {
  return TRAINED_LABELS.some((one) => one === label);
}
