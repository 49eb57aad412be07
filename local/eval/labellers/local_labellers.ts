// Labellers that need no other service: the local model on a port of its own, and the TF-IDF baseline.

import { createModelApp } from "../../model/app.ts";
import { MODEL_NAME } from "../../model/chat/chat_completion.ts";
import { batchingEmbedder } from "../../model/embedding/batching_embedder.ts";
import { openEmbedder } from "../../model/embedding/embedder.ts";
import { parseLabelledTickets, splitTickets, TICKETS_URL } from "../../model/tickets.ts";
import { trainModel } from "../../model/training/train_model.ts";
import type { Labeller } from "./labeller.ts";
import { type Asking, promptedLabeller } from "./prompted_labeller.ts";
import { trainTfidfBaseline } from "./tfidf_baseline.ts";

/** Trains the local model and asks it over HTTP, as the worker does. Costs nothing but time. */
export async function localLabeller(
  asking: Omit<Asking, "llm">,
  { cacheFolder, timeoutMs, nowMs }: {
    readonly cacheFolder: URL;
    readonly timeoutMs: number;
    readonly nowMs: () => number;
  },
): Promise<Labeller> {
  const embedder = batchingEmbedder(await openEmbedder());
  const model = await trainModel({ embedder, cacheFolder, onProgress: () => {} });
  const app = createModelApp({ model, now: Date.now, newId: () => crypto.randomUUID() });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
  const llm = {
    apiKey: undefined,
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    model: MODEL_NAME,
    timeoutMs,
  };
  const price = asking.price ?? { inputUsd: 0, outputUsd: 0 };
  return { ...promptedLabeller({ ...asking, price, llm }, nowMs), close: () => server.shutdown() };
}

/** TF-IDF with logistic regression, trained on what the local model is trained on. */
export async function tfidfLabeller(): Promise<Labeller> {
  const { training } = splitTickets(parseLabelledTickets(await Deno.readTextFile(TICKETS_URL)));
  const baseline = trainTfidfBaseline(training);
  return {
    labels: [...new Set(training.map(({ category }) => category))],
    close: () => Promise.resolve(),
    label: (ticket) => {
      const { category, confidence } = baseline(ticket);
      return Promise.resolve({
        kind: "labelled",
        category,
        confidence,
        inputTokens: 0,
        outputTokens: 0,
        costUsd: 0,
      });
    },
  };
}
