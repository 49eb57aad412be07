// Parts of a worker, put together from its configuration, whatever serves them.

import { monotonicMs } from "../shared/clock.ts";
import { isLoopback } from "../shared/http/loopback.ts";
import { logger } from "../shared/log.ts";
import { createApp } from "./app.ts";
import { BatchLabeller } from "./labelling/batch_labeller.ts";
import { budgetedLlm, type Ledger, spend } from "./labelling/budgeted_llm.ts";
import type { WorkerConfig } from "./config.ts";
import { promptWriter } from "./core/prompt.ts";
import type { Taxonomy } from "./core/taxonomy.ts";
import { Database } from "./db/database.ts";
import { PostgresLabelStore } from "./db/label_store.ts";
import { SpendLedger } from "./db/spend_ledger.ts";
import { PostgresReviewStore } from "./db/review_store.ts";
import { TableCatalog } from "./db/table_catalog.ts";
import { type Labeller, type LabellingDeps, singleLabeller } from "./labelling/labeller.ts";
import { openaiLlm } from "./llm/client.ts";
import { countCost, countTokens, measuredLlm } from "./labelling/measured_llm.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { Permits } from "./permits.ts";
import { TicketCalls } from "./labelling/ticket_calls.ts";
import { ProviderRate } from "./labelling/provider_rate.ts";
import { WorkerReadiness } from "./readiness.ts";

/** Three group commits, and one for renewals and health. */
const CONNECTIONS_MAX = 4;
/** People's reading waits for people alone. */
const REVIEW_CONNECTIONS_MAX = 2;
const OPEN = "Whoever reaches this port may classify, override labels, and claim to deliver records; " +
  "set WORKER_TOKEN, and INGRESS_TOKEN for people";
const SHARED_PROMPTS =
  "With LLM_BATCH the text of one ticket may sway the labels of those that share its prompt. " +
  "Hostile-looking ones are asked alone and decoys show who speaks for all; what speaks for one neighbour may go " +
  "unseen. Use it for texts you trust";
/** A hundredth of what a call of the LLM takes. */
const BATCH_LINGER_MS = 10;

const CONTRADICTION_LOG_EVERY_MS = 60_000;

const log = logger("worker");

/** Puts the parts together. What it opens `close` closes. */
export function compose(config: WorkerConfig, taxonomy: Taxonomy) {
  const database = new Database({
    ...config.database,
    connectionsMax: CONNECTIONS_MAX,
    onFailure: (failure) => readiness.recordStoreFailure(failure),
  });
  const catalog = new TableCatalog(database, config.table);
  const reviewDatabase = new Database({ ...config.database, connectionsMax: REVIEW_CONNECTIONS_MAX });
  const contradictions = contradictionLog();
  const store = new PostgresLabelStore(catalog, {
    onContradiction: () => {
      metrics.offsetContradictions.inc();
      contradictions();
    },
  });
  const ledger = new SpendLedger(database, config.budget, Date.now);
  const spending: Ledger = {
    add: (usage, usd) => {
      ledger.add(usage, usd);
      countCost(metrics, usage, usd);
    },
    reached: () => ledger.reached(),
  };
  const permits = new Permits(config.concurrency, config.reserved);
  const metrics = createMetrics({
    inFlight: () => permits.inFlight,
    unsavedLabels: () => store.unsavedLabels,
    databaseStatements: () => database.statements,
  });
  const providerRate = new ProviderRate(monotonicMs);
  const provider = openaiLlm(config.llm, {
    onRateLimit: (headers) => providerRate.record(headers),
    onBilled: (usage) => {
      spend(spending, config.rules.prices, usage);
      countTokens(metrics, usage);
    },
    onLesson: (lesson) => log.info("learnt", { ...lesson }),
    onShutdown: ({ model, at }) => {
      log.warn("model goes away", { model, at });
      metrics.modelShutdown.set({ model }, Date.parse(at) / 1000);
    },
  });
  const llm = budgetedLlm(measuredLlm(provider, metrics), spending, config.rules.prices, Date.now);
  const readiness = new WorkerReadiness({
    checkStore: () => store.check(),
    checkProvider: llm.check,
    budgetReached: () => ledger.reached(),
    nowMs: monotonicMs,
    onBegin: ({ name, detail, remedy }) => log.warn("not ready", { cause: name, detail, remedy }),
    onEnd: (name) => log.info("ready again", { cause: name }),
  });
  const app = createApp({
    classification: {
      store,
      labeller: labellerFor(
        config,
        { llm, taxonomy, prompts: promptWriter(taxonomy), rules: config.rules },
        metrics,
      ),
      calls: new TicketCalls(config.ticketCallsMax),
      newClaim: () => crypto.randomUUID(),
      onRepeatedClaim: () => metrics.repeatedClaims.inc(),
    },
    taxonomy,
    permits,
    metrics,
    readiness,
    lessons: provider.lessons,
    reviews: new PostgresReviewStore(new TableCatalog(reviewDatabase, config.table)),
    reviewBelow: config.reviewBelow,
    tokens: config.tokens,
    // Deno.serve hands on no more than Content-Length says (RFC 9112 section 6.3).
    bodyLimit: { bytesMax: config.maxBodyBytes, lengthsHold: true },
    log,
    nowMs: monotonicMs,
    // Providers count calls: where several tickets share one, their figures say nothing about tickets.
    ...(config.llmBatch === 1 ? { rateReport: () => providerRate.take() } : {}),
  });
  ledger.start();
  const close = async () => {
    await Promise.all([store.close(), ledger.close()]);
    await Promise.all([database.close(), reviewDatabase.close()]);
  };
  return { app, readiness, permits, metrics, close };
}

/** A topic made anew contradicts with every record: one line a minute is enough. */
function contradictionLog(): () => void {
  let loggedAtMs = -Infinity;
  return () => {
    if (monotonicMs() - loggedAtMs < CONTRADICTION_LOG_EVERY_MS) return;
    loggedAtMs = monotonicMs();
    log.warn("an event's timestamp contradicts its offset", {
      meaning:
        "Its topic was made anew, or a producer's clock is wrong; the timestamp decides which event is newer",
    });
  };
}

function labellerFor({ llmBatch, rules }: WorkerConfig, deps: LabellingDeps, metrics: Metrics): Labeller {
  if (llmBatch === 1) return singleLabeller(deps);
  log.warn("tickets share prompts", { llm_batch: llmBatch, what: SHARED_PROMPTS });
  const ticketTokensMax = Math.ceil(rules.ticketTokensMax / llmBatch);
  const limits = { ticketsMax: llmBatch, lingerMs: BATCH_LINGER_MS, ticketTokensMax };
  return new BatchLabeller(deps, limits, { onDoubt: () => metrics.llmBatchesDoubted.inc() });
}

/** Says so where others than this machine reach a worker that asks nobody for a token. */
export function warnIfOpen({ tokens }: WorkerConfig, host: string): void {
  if (tokens.length === 0 && !isLoopback(host)) log.warn("open to everybody", { what: OPEN });
}
