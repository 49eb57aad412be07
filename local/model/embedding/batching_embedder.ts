// An embedder that gathers texts that come while the network is busy into one call: the network is one thread.

import type { Embedder } from "./embedder.ts";

interface Waiting {
  readonly texts: readonly string[];
  readonly settle: (vectors: readonly Float32Array[]) => void;
  readonly fail: (reason: unknown) => void;
}

/** What goes into one shared call; more would only make the first of them wait for the last. */
const TEXTS_MAX = 16;

/** An embedder that never runs two calls at once and shares one call among those that wait, the longest waiting first. */
export function batchingEmbedder(inner: Embedder, textsMax = TEXTS_MAX): Embedder {
  let waiting: Waiting[] = [];
  let busy = false;
  const run = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      const count = roundSize(waiting, textsMax);
      const round = waiting.slice(0, count);
      waiting = waiting.slice(count);
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

/** How many of those that wait share the next call: at least the first, however many texts it has. */
function roundSize(waiting: readonly Waiting[], textsMax: number): number {
  let texts = 0;
  const end = waiting.findIndex((one) => (texts += one.texts.length) > textsMax);
  return end < 0 ? waiting.length : Math.max(1, end);
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
