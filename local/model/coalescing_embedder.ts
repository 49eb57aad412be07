// Gathers the texts of requests that come while the network is busy into one call: the network is one thread.

import type { Embedder } from "./embedder.ts";

interface Waiting {
  readonly texts: readonly string[];
  readonly settle: (vectors: readonly Float32Array[]) => void;
  readonly fail: (reason: unknown) => void;
}

/** An embedder that never runs two calls at once and shares one call among those that wait. */
export function coalescing(inner: Embedder): Embedder {
  let waiting: Waiting[] = [];
  let busy = false;
  const run = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      const round = waiting;
      waiting = [];
      await embedRound(inner, round);
    }
    busy = false;
  };
  return {
    embed: (texts) =>
      new Promise((settle, fail) => {
        waiting.push({ texts, settle, fail });
        if (!busy) void run();
      }),
  };
}

async function embedRound(inner: Embedder, round: readonly Waiting[]): Promise<void> {
  try {
    const vectors = await inner.embed(round.flatMap(({ texts }) => texts));
    let from = 0;
    for (const { texts, settle } of round) settle(vectors.slice(from, from += texts.length));
  } catch (reason) {
    for (const { fail } of round) fail(reason);
  }
}
