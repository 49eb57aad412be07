// The worker's application without a socket: a store in memory and an LLM that says what the test wants.

import type { AccessToken } from "../../../shared/http/bearer_token.ts";
import type { Hono } from "hono";
import type { Completion, Llm, LlmFailure } from "../../../worker/core/llm.ts";
import { type Prompt, promptWriter } from "../../../worker/core/prompt.ts";
import { parseTaxonomy } from "../../../worker/core/taxonomy.ts";
import { type LabellingRules, singleLabeller } from "../../../worker/labelling/labeller.ts";
import { TicketCalls } from "../../../worker/labelling/ticket_calls.ts";
import { createApp } from "../../../worker/app.ts";
import { createMetrics } from "../../../worker/metrics.ts";
import { Permits } from "../../../worker/permits.ts";
import { WorkerReadiness } from "../../../worker/readiness.ts";
import { logger } from "../../../shared/log.ts";
import defaultTaxonomy from "../../../worker/taxonomy.json" with { type: "json" };
import { MemoryReviewStore } from "../postgres/memory_review_store.ts";
import { MemoryStore, MemoryTables } from "../postgres/memory_label_store.ts";

/** What a test may change. */
export interface WorkerAppOptions {
  readonly tokens?: readonly AccessToken[];
  readonly concurrency?: number;
  readonly reserved?: number;
  readonly maxBodyBytes?: number;
  readonly ticketCallsMax?: number;
  readonly rules?: LabellingRules;
  readonly complete?: (prompt: Prompt, signal: AbortSignal | undefined) => Promise<Completion | LlmFailure>;
}

/** An application and what lies behind it. */
export interface WorkerApp {
  readonly app: Hono;
  readonly tables: MemoryTables;
  readonly readiness: WorkerReadiness;
  readonly permits: Permits;
  /** Prompts the LLM was given so far. */
  readonly prompts: readonly Prompt[];
  /** POST /classify with a JSON body. */
  readonly classify: (body: unknown, headers?: Record<string, string>) => Promise<Response>;
}

/** An answer of a model. */
export function answer(content: string, rest: Partial<Completion> = {}): Completion {
  return { kind: "completed", content, tokens: [], model: "stub", inputTokens: 10, outputTokens: 5, ...rest };
}

/** Builds one. */
export function workerApp(options: WorkerAppOptions = {}): WorkerApp {
  const tables = new MemoryTables();
  const store = new MemoryStore(tables);
  const { rules } = options;
  const taxonomy = parseTaxonomy(defaultTaxonomy);
  const prompts: Prompt[] = [];
  const complete = options.complete ?? (() => Promise.resolve(answer('{"category":"billing"}')));
  const llm: Llm = {
    model: "stub",
    complete: (prompt, signal) => {
      prompts.push(prompt);
      return complete(prompt, signal);
    },
    check: () => Promise.resolve(undefined),
  };
  const permits = new Permits(options.concurrency ?? 8, options.reserved ?? 1);
  const nowMs = () => Date.now();
  const readiness = new WorkerReadiness({
    checkStore: () => store.check(),
    checkProvider: llm.check,
    budgetReached: () => undefined,
    nowMs,
  });
  const app = createApp({
    classification: {
      store,
      labeller: singleLabeller({
        llm,
        taxonomy,
        prompts: promptWriter(taxonomy),
        ...(rules === undefined ? {} : { rules }),
      }),
      calls: new TicketCalls(options.ticketCallsMax ?? 6),
      newClaim: () => crypto.randomUUID(),
      onRepeatedClaim: () => {},
    },
    taxonomy,
    permits,
    readiness,
    lessons: () => [],
    metrics: createMetrics({
      inFlight: () => permits.inFlight,
      unsavedLabels: () => 0,
      databaseStatements: () => 0,
    }),
    reviews: new MemoryReviewStore(tables),
    reviewBelow: 0.7,
    tokens: options.tokens ?? [],
    bodyLimit: { bytesMax: options.maxBodyBytes ?? 1_000, lengthsHold: false },
    log: logger("worker"),
    nowMs,
  });
  const classify = async (body: unknown, headers: Record<string, string> = {}) =>
    await app.request("/classify", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  return { app, tables, readiness, permits, prompts, classify };
}
