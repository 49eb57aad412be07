// Puts the trained model to work on the tickets of one request: embeds, classifies, ranks the allowed labels.

import type { TicketAnswer } from "./answer_text.ts";
import type { AskedTicket } from "./chat_request.ts";
import { labelProbabilities } from "./classifier.ts";
import { rankLabels, untrainedLabels } from "./label_choice.ts";
import { guessLanguage } from "./language_guess.ts";
import { embedTickets } from "./ticket_embedding.ts";
import type { TrainedModel } from "./train_model.ts";

/** What the tickets are answered with. */
export interface Question {
  readonly model: TrainedModel;
  /** The labels that may be answered. */
  readonly labels: readonly string[];
  /** What the request says a label means, if it does. */
  readonly describe: (label: string) => string | undefined;
}

/** One answer a ticket, in their order. */
export async function answerTickets(
  tickets: readonly AskedTicket[],
  { model, labels, describe }: Question,
): Promise<readonly TicketAnswer[]> {
  const named = untrainedLabels(labels).length === 0 ? [] : labels;
  const [embedded, vectors] = await Promise.all([
    embedTickets(tickets, model.embedder),
    named.length === 0 ? [] : model.embedder.embed(named.map((label) => meaning(label, describe))),
  ]);
  const names = new Map(named.map((label, at) => [label, vectors[at]]));
  return embedded.map((ticket, at) => {
    const probabilities = labelProbabilities(model.classifier, ticket);
    const ranked = rankLabels(labels, probabilities, (label) => likeness(ticket.embedding, names.get(label)));
    const language = guessLanguage(`${tickets[at]?.subject}\n${tickets[at]?.body}`);
    const id = tickets[at]?.id;
    return id === undefined ? { ranked, language } : { id, ranked, language };
  });
}

function meaning(label: string, describe: Question["describe"]): string {
  const name = label.replace(/[_-]+/g, " ");
  const description = describe(label);
  return description === undefined ? name : `${name}: ${description}`;
}

/** The cosine between a ticket and a label's name; both have length 1. */
function likeness(embedding: Float32Array, name: Float32Array | undefined): number {
  return embedding.reduce((total, component, at) => total + component * (name?.[at] ?? 0), 0);
}
