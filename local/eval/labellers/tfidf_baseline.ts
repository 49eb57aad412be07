// The baseline: TF-IDF over words and word pairs with logistic regression, as textbooks have it. Pure.

import type { SparseVector } from "../../model/training/lexical_features.ts";
import { scores, softmax, trainSoftmaxRegression } from "../../model/training/softmax_regression.ts";
import { type LabelledTicket, type TicketText, TRAINED_LABELS } from "../../model/tickets.ts";

/** Answers a ticket with a label and its probability. */
export type Baseline = (ticket: TicketText) => { readonly category: string; readonly confidence: number };

interface Vocabulary {
  readonly places: ReadonlyMap<string, number>;
  readonly idf: Float32Array;
}

/** Trains the yardstick; deterministic. */
export function trainTfidfBaseline(tickets: readonly LabelledTicket[]): Baseline {
  const vocabulary = learnVocabulary(tickets);
  const dense = new Float32Array();
  const examples = tickets.map((ticket) => ({
    features: { dense, sparse: tfidfVector(ticket, vocabulary) },
    target: TRAINED_LABELS.indexOf(ticket.category),
  }));
  const regression = trainSoftmaxRegression(examples, {
    classCount: TRAINED_LABELS.length,
    denseSize: 0,
    sparseSize: vocabulary.places.size,
    epochs: 40,
    learningRate: 0.1,
    penalty: 1e-5,
  });
  return (ticket) => {
    const odds = softmax(scores(regression, { dense, sparse: tfidfVector(ticket, vocabulary) }));
    const confidence = Math.max(...odds);
    return { category: TRAINED_LABELS[odds.indexOf(confidence)] ?? "other", confidence };
  };
}

/** TF-IDF with sublinear counts and smoothed document frequencies, of length 1. */
export function tfidfVector(ticket: TicketText, { places, idf }: Vocabulary): SparseVector {
  const counts = new Map<number, number>();
  for (const term of termsOf(ticket)) {
    const place = places.get(term);
    if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  const entries = [...counts].sort(([left], [right]) => left - right);
  const values = Float32Array.from(entries, ([place, count]) => (1 + Math.log(count)) * (idf[place] ?? 0));
  const norm = Math.hypot(...values) || 1;
  return {
    indices: Int32Array.from(entries, ([place]) => place),
    values: values.map((value) => value / norm),
  };
}

/** Every word and word pair of the tickets, with how rare it is. */
export function learnVocabulary(tickets: readonly TicketText[]): Vocabulary {
  const documents = new Map<string, number>();
  for (const ticket of tickets) {
    for (const term of new Set(termsOf(ticket))) documents.set(term, (documents.get(term) ?? 0) + 1);
  }
  const terms = [...documents];
  return {
    places: new Map(terms.map(([term], place) => [term, place])),
    idf: Float32Array.from(terms, ([, count]) => Math.log((1 + tickets.length) / (1 + count)) + 1),
  };
}

function termsOf({ subject, body }: TicketText): readonly string[] {
  const words = `${subject}\n${body}`.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
  return words.flatMap((word, at) => at === 0 ? [word] : [word, `${words[at - 1]} ${word}`]);
}
