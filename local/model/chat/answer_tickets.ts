// Answers to the tickets of one request: embedded, classified, the allowed labels ranked.

import type { TicketAnswer } from "./answer_text.ts";
import type { Embedder } from "../embedding/embedder.ts";
import type { AskedTicket } from "./chat_request.ts";
import { labelProbabilities } from "../training/classifier.ts";
import { rankLabels, untrainedLabels } from "./label_choice.ts";
import { guessLanguage } from "../language/language_guess.ts";
import { embedTickets, meanOf } from "../embedding/ticket_embedding.ts";
import type { TrainedModel } from "../training/train_model.ts";

/** What the tickets are answered with. */
export interface Question {
  readonly model: TrainedModel;
  /** The labels that may be answered. */
  readonly labels: readonly string[];
  /** What the request says about a label: its description, its examples, or nothing. */
  readonly saidAbout: (label: string) => readonly string[];
}

/** One answer a ticket, in their order. */
export async function answerTickets(
  tickets: readonly AskedTicket[],
  { model, labels, saidAbout }: Question,
): Promise<readonly TicketAnswer[]> {
  const named = untrainedLabels(labels).length === 0 ? [] : labels;
  const [embedded, prototypes] = await Promise.all([
    embedTickets(tickets, model.embedder),
    Promise.all(named.map((label) => prototypeOf(label, saidAbout(label), model.labelEmbedder))),
  ]);
  const names = new Map(named.map((label, at) => [label, prototypes[at]]));
  return embedded.map((ticket, at) => {
    const probabilities = labelProbabilities(model.classifier, ticket);
    const ranked = rankLabels(labels, probabilities, (label) => likeness(ticket.embedding, names.get(label)));
    const language = guessLanguage(`${tickets[at]?.subject}\n${tickets[at]?.body}`);
    const id = tickets[at]?.id;
    return id === undefined ? { ranked, language } : { id, ranked, language };
  });
}

/** What a ticket of a label nobody trained us on should look like: the mean of its name with description, and its examples. */
async function prototypeOf(
  label: string,
  said: readonly string[],
  embedder: Embedder,
): Promise<Float32Array> {
  const [description, ...examples] = said;
  const name = label.replace(/[_-]+/g, " ");
  return meanOf(
    await embedder.embed([description === undefined ? name : `${name}: ${description}`, ...examples]),
  );
}

/** The cosine between a ticket and what its label should look like; both have length 1. */
function likeness(embedding: Float32Array, prototype: Float32Array | undefined): number {
  return embedding.reduce((total, component, at) => total + component * (prototype?.[at] ?? 0), 0);
}
