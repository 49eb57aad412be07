// An embedder that keeps the vectors of texts that come in every request: names and examples of labels.

import type { Embedder } from "./embedder.ts";

/** An embedder that keeps up to `textsMax` embeddings and forgets the oldest. */
export function cachingEmbedder(inner: Embedder, textsMax: number): Embedder {
  const kept = new Map<string, Float32Array>();
  return {
    embed: async (texts) => {
      const fresh = [...new Set(texts)].filter((text) => !kept.has(text));
      const vectors = fresh.length === 0 ? [] : await inner.embed(fresh);
      const known = new Map([...kept, ...fresh.map((text, at) => [text, vectors[at]] as const)]);
      for (const [at, text] of fresh.entries()) kept.set(text, vectors[at] ?? new Float32Array());
      for (const text of [...kept.keys()].slice(0, Math.max(0, kept.size - textsMax))) kept.delete(text);
      return texts.map((text) => known.get(text) ?? new Float32Array());
    },
  };
}
