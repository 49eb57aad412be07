// Puts the trained model to work on the tickets of one request: embeds, classifies, ranks the allowed labels.

import type { TicketAnswer } from "./answer_text.ts";
import type { AskedTicket } from "./chat_request.ts";
import { labelProbabilities } from "./classifier.ts";
import { rankLabels, untrainedLabels } from "./label_choice.ts";
import { guessLanguage } from "./language_guess.ts";
import { joinEmbeddings, textsOf } from "./ticket_embedding.ts";
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
  const texts = tickets.flatMap(textsOf);
  const named = untrainedLabels(labels).length === 0 ? [] : labels;
  const vectors = await model.embedder.embed([...texts, ...named.map((label) => meaning(label, describe))]);
  const names = new Map(named.map((label, at) => [label, vectors[texts.length + at]]));
  const embeddings = joinEmbeddings(vectors.slice(0, texts.length));
  return tickets.map((ticket, at) => {
    const embedding = embeddings[at] ?? new Float32Array();
    const probabilities = labelProbabilities(model.classifier, { text: ticket, embedding });
    const ranked = rankLabels(labels, probabilities, (label) => likeness(embedding, names.get(label)));
    const language = guessLanguage(`${ticket.subject}\n${ticket.body}`);
    return ticket.id === undefined ? { ranked, language } : { id: ticket.id, ranked, language };
  });
}

function meaning(label: string, describe: Question["describe"]): string {
  const name = label.replace(/[_-]+/g, " ");
  const description = describe(label);
  return description === undefined ? name : `${name}: ${description}`;
}

/** The mean cosine between a label's name and the parts of a ticket; all parts have length 1. */
function likeness(embedding: Float32Array, name: Float32Array | undefined): number {
  if (name === undefined || name.length === 0) return 0;
  const sum = embedding.reduce(
    (total, component, at) => total + component * (name[at % name.length] ?? 0),
    0,
  );
  return sum / (embedding.length / name.length);
}
