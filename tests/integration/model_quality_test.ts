// How good the local model is on tickets it was not trained on, beside TF-IDF with logistic regression.

import assert from "node:assert/strict";
import { trainTfidfBaseline } from "../../local/eval/labellers/tfidf_baseline.ts";
import { labelProbabilities, trainClassifier } from "../../local/model/training/classifier.ts";
import { openEmbedder } from "../../local/model/embedding/embedder.ts";
import { expectedCalibrationError, labelMetrics, macroF1 } from "../../local/model/training/metrics.ts";
import {
  parseLabelledTickets,
  splitTickets,
  TICKETS_URL,
  TRAINED_LABELS,
} from "../../local/model/tickets.ts";
import { embedTickets, gistOf } from "../../local/model/embedding/ticket_embedding.ts";
import { EMBEDDINGS_URL, embeddingsKey, embedExamples } from "../../local/model/training/train_model.ts";
import { unpackVectors } from "../../local/model/embedding/vector_file.ts";

const CACHE_FOLDER = new URL("../../.ackpool/model/", import.meta.url);

Deno.test("the local model has a macro-F1 of at least 0.80 on held-out tickets, and beats TF-IDF", async () => {
  const { training, heldOut } = splitTickets(parseLabelledTickets(await Deno.readTextFile(TICKETS_URL)));
  const setup = { embedder: await openEmbedder(), cacheFolder: CACHE_FOLDER, onProgress: () => {} };
  const classifier = trainClassifier((await embedExamples(training, setup)).examples);
  const { examples } = await embedExamples(heldOut, setup);
  const judgements = examples.map((example) => {
    const odds = labelProbabilities(classifier, example);
    const confidence = Math.max(...odds);
    const answer = TRAINED_LABELS[odds.indexOf(confidence)] ?? "";
    return { truth: example.label, answer, confidence, right: answer === example.label };
  });
  const baseline = trainTfidfBaseline(training);
  const yardstick = macroF1(
    heldOut.map((one) => ({ truth: one.category, answer: baseline(one).category })),
    TRAINED_LABELS,
  );
  const reached = macroF1(judgements, TRAINED_LABELS);
  const calibration = expectedCalibrationError(judgements);
  const figures = JSON.stringify({
    heldOut: heldOut.length,
    reached,
    yardstick,
    calibration,
    labels: labelMetrics(judgements, TRAINED_LABELS),
  });
  assert.ok(reached >= 0.8, figures);
  assert.ok(reached > yardstick, figures);
  assert.ok(calibration < 0.15, figures);
  if (Deno.env.get("SHOW_FIGURES") !== undefined) {
    await Deno.stdout.write(new TextEncoder().encode(`${figures}\n`));
  }
});

Deno.test("the set has at least 600 tickets, 110 of each label, and no text twice", async () => {
  const tickets = parseLabelledTickets(await Deno.readTextFile(TICKETS_URL));
  assert.ok(tickets.length >= 600);
  for (const label of TRAINED_LABELS) {
    assert.ok(tickets.filter(({ category }) => category === label).length >= 110, label);
  }
  assert.equal(new Set(tickets.map(({ id }) => id)).size, tickets.length);
  assert.equal(new Set(tickets.map(({ subject, body }) => `${subject}\n${body}`)).size, tickets.length);
  const foreign = tickets.filter(({ language }) => language !== "en").length / tickets.length;
  assert.ok(foreign > 0.1 && foreign < 0.25, `${foreign}`);
});

Deno.test("embeddings.bin holds the embeddings of today's training tickets", async () => {
  const { training } = splitTickets(parseLabelledTickets(await Deno.readTextFile(TICKETS_URL)));
  const key = await embeddingsKey(training.map(gistOf));
  const kept = unpackVectors(key, await Deno.readFile(EMBEDDINGS_URL));
  assert.ok(kept !== undefined, "it is out of date: run `deno run -A local/model/embeddings_main.ts`");
  const sampled = training.filter((_, at) => at % 100 === 0);
  const fresh = await embedTickets(sampled, await openEmbedder());
  for (const [order, { embedding }] of fresh.entries()) {
    const old = kept[order * 100] ?? new Float32Array();
    const cosine = embedding.reduce((sum, component, at) => sum + component * (old[at] ?? 0), 0);
    assert.ok(cosine > 0.999, `ticket ${sampled[order]?.id}: ${cosine}`);
  }
});
