// The training of the local model: tickets read, embedded (or their embeddings found on disk), classifier fitted.

import { type EmbeddedExample, type TicketClassifier, trainClassifier } from "./classifier.ts";
import type { Embedder } from "../embedding/embedder.ts";
import { cachingEmbedder } from "../embedding/caching_embedder.ts";
import { embedTickets, gistOf } from "../embedding/ticket_embedding.ts";
import { type LabelledTicket, parseLabelledTickets, splitTickets, TICKETS_URL } from "../tickets.ts";
import { packVectors, unpackVectors } from "../embedding/vector_file.ts";

/** Everything an answer needs. */
export interface TrainedModel {
  readonly classifier: TicketClassifier;
  readonly embedder: Embedder;
  /** The same network for what is said about labels, which is the same in every request. */
  readonly labelEmbedder: Embedder;
  /** Names the set it was trained on: another set, another fingerprint. */
  readonly fingerprint: string;
}

/** How training is done and its progress reported. */
export interface TrainingSetup {
  readonly embedder: Embedder;
  /** Embeddings are kept here between starts, where it can be written. */
  readonly cacheFolder: URL;
  readonly onProgress: (embedded: number, total: number) => void;
}

/** How many descriptions and examples of labels are kept embedded. */
const LABEL_TEXTS_MAX = 1_000;

/** How many tickets are embedded between two progress reports. */
const REPORT_EVERY = 64;

/** Changes when the way from a gist to its vector does, so that kept embeddings are made anew. */
const CACHE_VERSION = 1;

/** The training tickets' embeddings as the project ships them, made by `local/model/embeddings_main.ts`. */
export const EMBEDDINGS_URL = new URL("../embeddings.bin", import.meta.url);

/** Trains on the part of the project's set that is not held out for evaluation. */
export async function trainModel(setup: TrainingSetup): Promise<TrainedModel> {
  const { training } = splitTickets(parseLabelledTickets(await Deno.readTextFile(TICKETS_URL)));
  const { key, examples } = await embedExamples(training, setup);
  return {
    classifier: trainClassifier(examples),
    embedder: setup.embedder,
    labelEmbedder: cachingEmbedder(setup.embedder, LABEL_TEXTS_MAX),
    fingerprint: `ackpool-${key.slice(0, 12)}`,
  };
}

/** The tickets with their embeddings, from the cache where these very texts have been embedded before. */
export async function embedExamples(
  tickets: readonly LabelledTicket[],
  setup: TrainingSetup,
): Promise<{ readonly key: string; readonly examples: readonly EmbeddedExample[] }> {
  const gists = tickets.map(gistOf);
  const key = await embeddingsKey(gists);
  const file = new URL(`embeddings-${key.slice(0, 16)}.bin`, setup.cacheFolder);
  const kept = await readKept(key, EMBEDDINGS_URL) ?? await readKept(key, file);
  const vectors = kept ?? await embedAndKeep(key, file, tickets, setup);
  return {
    key,
    examples: tickets.map(({ id, category }, at) => ({
      id,
      label: category,
      gist: gists[at] ?? "",
      embedding: vectors[at] ?? new Float32Array(),
    })),
  };
}

/** What is packed is unpacked again, so that a first start learns from the same numbers as a second. */
async function embedAndKeep(
  key: string,
  file: URL,
  tickets: readonly LabelledTicket[],
  { embedder, onProgress, cacheFolder }: TrainingSetup,
): Promise<readonly Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let from = 0; from < tickets.length; from += REPORT_EVERY) {
    const embedded = await embedTickets(tickets.slice(from, from + REPORT_EVERY), embedder);
    vectors.push(...embedded.map(({ embedding }) => embedding));
    onProgress(vectors.length, tickets.length);
  }
  const bytes = packVectors(key, vectors);
  await keep(file, cacheFolder, bytes);
  return unpackVectors(key, bytes) ?? vectors;
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

/** Which texts a file of embeddings is for. */
export async function embeddingsKey(gists: readonly string[]): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([CACHE_VERSION, gists]));
  const digest = await crypto.subtle.digest("SHA-256", text);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
