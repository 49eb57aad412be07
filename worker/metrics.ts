// Metrics of a worker, under Prometheus's conventional names.

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { gauge, SECONDS, total } from "../shared/metrics.ts";
import type { LlmMetrics } from "./labelling/measured_llm.ts";

/** What the worker counts. Every app has a registry of its own. */
export interface Metrics extends LlmMetrics {
  readonly registry: Registry;
  readonly requests: Counter<"route" | "status">;
  readonly requestSeconds: Histogram<"route">;
  readonly labels: Counter<"category" | "outcome">;
  readonly llmBatchesDoubted: Counter;
  readonly modelShutdown: Gauge<"model">;
  readonly repeatedClaims: Counter;
  readonly offsetContradictions: Counter;
  /** Accuracy over what humans looked at: `right="true"` divided by all. */
  readonly reviewed: Counter<"category" | "right">;
}

/** What is read at the moment of the scrape. */
export interface Gauges {
  readonly inFlight: () => number;
  readonly unsavedLabels: () => number;
  readonly databaseStatements: () => number;
}

/** Makes a fresh set of metrics. */
export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const name = (rest: string) => `ackpool_worker_${rest}`;
  const metrics: Metrics = {
    registry,
    requests: new Counter({
      name: name("requests_total"),
      help: "Requests answered, by route and status.",
      labelNames: ["route", "status"],
      registers,
    }),
    requestSeconds: new Histogram({
      name: name("request_duration_seconds"),
      help: "Time from a request's arrival to its answer.",
      labelNames: ["route"],
      buckets: SECONDS,
      registers,
    }),
    labels: new Counter({
      name: name("labels_total"),
      help: "Answers with a label, by category and outcome.",
      labelNames: ["category", "outcome"],
      registers,
    }),
    llmCalls: new Counter({
      name: name("llm_calls_total"),
      help: "Calls of the LLM, by result: completed or why not.",
      labelNames: ["result"],
      registers,
    }),
    llmSeconds: new Histogram({
      name: name("llm_duration_seconds"),
      help: "Time of one call of the LLM.",
      buckets: SECONDS,
      registers,
    }),
    llmTokens: new Counter({
      name: name("llm_tokens_total"),
      help: "Tokens paid for, by direction.",
      labelNames: ["direction"],
      registers,
    }),
    llmTokensEstimated: new Counter({
      name: name("llm_tokens_estimated_total"),
      help: "Of the tokens paid for, those estimated from the texts because the provider gave no usage.",
      registers,
    }),
    llmCost: new Counter({
      name: name("llm_cost_usd_total"),
      help: "US dollars paid for calls of the LLM, by model; models without a known price are left out.",
      labelNames: ["model"],
      registers,
    }),
    llmBatchesDoubted: new Counter({
      name: name("llm_batches_doubted_total"),
      help:
        "Prompts with several tickets whose decoys came back wrong: their tickets were asked for one by one.",
      registers,
    }),
    modelShutdown: new Gauge({
      name: name("model_shutdown_timestamp_seconds"),
      help: "When the provider takes a model away, where it says so.",
      labelNames: ["model"],
      registers,
    }),
    repeatedClaims: new Counter({
      name: name("repeated_claims_total"),
      help: "Labels claimed again after a holder died: at most this many were paid for twice.",
      registers,
    }),
    offsetContradictions: new Counter({
      name: name("offset_contradictions_total"),
      help: "Events whose timestamp overruled their offset: their topic was made anew, or a clock is wrong.",
      registers,
    }),
    reviewed: new Counter({
      name: name("reviewed_total"),
      help: "First overrides by the model's category and whether it was right: their share is the accuracy.",
      labelNames: ["category", "right"],
      registers,
    }),
  };
  gauge(registry, name("in_flight"), "Classifications running now.", gauges.inFlight);
  gauge(
    registry,
    name("unsaved_labels"),
    "Labels paid for that wait for the database to come back.",
    gauges.unsavedLabels,
  );
  total(registry, name("db_statements_total"), "Statements sent to the database.", gauges.databaseStatements);
  return metrics;
}
