// From tickets.jsonl to a model that answers: reads, embeds (or finds the embeddings kept from before), trains.

import {
  type EmbeddedExample,
  embeddedExample,
  type TicketClassifier,
  trainClassifier,
} from "./classifier.ts";
import type { Embedder } from "./embedder.ts";
import { joinEmbeddings, TEXTS_PER_TICKET, textsOf } from "./ticket_embedding.ts";
import { type LabelledTicket, parseLabelledTickets, splitTickets, TICKETS_URL } from "./tickets.ts";
import { packVectors, unpackVectors } from "./vector_file.ts";

/** Everything an answer needs. */
export interface TrainedModel {
  readonly classifier: TicketClassifier;
  readonly embedder: Embedder;
  /** Names the set it was trained on: another set, another fingerprint. */
  readonly fingerprint: string;
}

/** How training is done and told about. */
export interface TrainingSetup {
  readonly embedder: Embedder;
  /** Embeddings are kept here between starts, where it can be written. */
  readonly cacheFolder: URL;
  readonly onProgress: (embedded: number, total: number) => void;
}

/** How many tickets are embedded between two progress reports. */
const REPORT_EVERY = 64;

/** Trains on the part of the project's set that is not held out for evaluation. */
export async function trainModel(setup: TrainingSetup): Promise<TrainedModel> {
  const { training } = splitTickets(parseLabelledTickets(await Deno.readTextFile(TICKETS_URL)));
  const { key, examples } = await embedTickets(training, setup);
  return {
    classifier: trainClassifier(examples),
    embedder: setup.embedder,
    fingerprint: `ackpool-${key.slice(0, 12)}`,
  };
}

/** The tickets with their embeddings, from the cache where these very texts have been embedded before. */
export async function embedTickets(
  tickets: readonly LabelledTicket[],
  { embedder, cacheFolder, onProgress }: TrainingSetup,
): Promise<{ readonly key: string; readonly examples: readonly EmbeddedExample[] }> {
  const texts = tickets.flatMap(textsOf);
  const key = await hashOf(JSON.stringify(texts));
  const file = new URL(`embeddings-${key.slice(0, 16)}.bin`, cacheFolder);
  const kept = await readKept(key, file);
  const vectors = kept ?? await embedInSteps(texts, embedder, onProgress);
  if (kept === undefined) await keep(file, cacheFolder, packVectors(key, vectors));
  const joined = joinEmbeddings(vectors);
  return {
    key,
    examples: tickets.map((ticket, at) => embeddedExample(ticket, joined[at] ?? new Float32Array())),
  };
}

async function embedInSteps(
  texts: readonly string[],
  embedder: Embedder,
  onProgress: TrainingSetup["onProgress"],
): Promise<readonly Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let from = 0; from < texts.length; from += REPORT_EVERY * TEXTS_PER_TICKET) {
    vectors.push(...await embedder.embed(texts.slice(from, from + REPORT_EVERY * TEXTS_PER_TICKET)));
    onProgress(vectors.length / TEXTS_PER_TICKET, texts.length / TEXTS_PER_TICKET);
  }
  return vectors;
}

async function readKept(key: string, file: URL): Promise<readonly Float32Array[] | undefined> {
  try {
    return unpackVectors(key, await Deno.readFile(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Written beside and renamed, so that a reader never sees half a file. A read-only folder only costs time. */
async function keep(file: URL, folder: URL, bytes: Uint8Array): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    const half = new URL(`${file.href}.${crypto.randomUUID()}`);
    await Deno.writeFile(half, bytes);
    await Deno.rename(half, file);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable)) {
      throw error;
    }
  }
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
