// The worker's composition root: environment, adapters, signals and exit codes.

import { ConfigError, logConfig } from "../shared/config.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { createApp } from "./app.ts";
import { BatchLabeller } from "./batch_labelling.ts";
import { budgetedLlm } from "./budgeted_llm.ts";
import { parseConfig, type WorkerConfig } from "./config.ts";
import { promptWriter } from "./core/prompt.ts";
import { parseTaxonomy, type Taxonomy, TaxonomyError } from "./core/taxonomy.ts";
import { Database } from "./db/database.ts";
import { PostgresLabelStore } from "./db/label_store.ts";
import { SpendLedger } from "./db/spend_ledger.ts";
import { PostgresTicketDesk } from "./db/ticket_desk.ts";
import { TicketSchema } from "./db/ticket_schema.ts";
import { type Labeller, type LabellingDeps, singleLabeller } from "./labelling.ts";
import { openaiLlm } from "./llm/client.ts";
import { createMetrics, measuredLlm } from "./metrics.ts";
import { Permits } from "./permits.ts";
import { WorkerReadiness } from "./readiness.ts";
import defaultTaxonomy from "./taxonomy.json" with { type: "json" };

/** Two group commits, a renewal, and one for people and health. */
const CONNECTIONS_MAX = 4;
/** A hundredth of what a call of the LLM takes. */
const BATCH_LINGER_MS = 10;

const log = logger("worker");

function readConfig(): WorkerConfig {
  try {
    const env = (name: string) => Deno.env.get(name);
    configureLogs(logConfig(env, Deno.stdout.isTerminal()));
    return parseConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    complain(error.message);
    return Deno.exit(2);
  }
}

function readTaxonomy(file: string | undefined): Taxonomy {
  try {
    return parseTaxonomy(file === undefined ? defaultTaxonomy : JSON.parse(Deno.readTextFileSync(file)));
  } catch (error) {
    if (error instanceof TaxonomyError) complain(error.message);
    else complain(`TAXONOMY_FILE cannot be read as JSON: ${error instanceof Error ? error.message : error}`);
    return Deno.exit(2);
  }
}

function compose(config: WorkerConfig, taxonomy: Taxonomy) {
  const nowMs = () => Date.now();
  const database = new Database({ ...config.database, connectionsMax: CONNECTIONS_MAX });
  const schema = new TicketSchema(database, config.table);
  const store = new PostgresLabelStore(schema);
  const ledger = new SpendLedger(database, config.budget, nowMs);
  const permits = new Permits(config.concurrency);
  const metrics = createMetrics({
    inFlight: () => permits.inFlight,
    unsavedLabels: () => store.unsavedLabels,
    databaseStatements: () => database.statements,
  });
  const llm = budgetedLlm(measuredLlm(openaiLlm(config.llm), metrics), ledger, config.rules.prices, nowMs);
  const readiness = new WorkerReadiness({
    checkStore: () => store.check(),
    checkProvider: llm.check,
    budgetReached: () => ledger.reached(),
    nowMs,
  });
  const app = createApp({
    classification: {
      store,
      labeller: labellerFor(config, { llm, taxonomy, prompts: promptWriter(taxonomy), rules: config.rules }),
      newClaim: () => crypto.randomUUID(),
      onRepeatedClaim: () => metrics.repeatedClaims.inc(),
    },
    taxonomy,
    permits,
    metrics,
    readiness,
    desk: new PostgresTicketDesk(schema),
    reviewBelow: config.reviewBelow,
    tokens: config.tokens,
    // Deno.serve hands on no more than Content-Length says (RFC 9112 section 6.3).
    bodyLimit: { bytesMax: config.maxBodyBytes, lengthsHold: true },
    log,
    nowMs,
  });
  ledger.start();
  const close = async () => {
    await Promise.all([store.close(), ledger.close()]);
    await database.close();
  };
  return { app, readiness, permits, close };
}

function labellerFor({ llmBatch, rules }: WorkerConfig, deps: LabellingDeps): Labeller {
  if (llmBatch === 1) return singleLabeller(deps);
  const ticketTokensMax = Math.ceil(rules.ticketTokensMax / llmBatch);
  return new BatchLabeller(deps, { ticketsMax: llmBatch, lingerMs: BATCH_LINGER_MS, ticketTokensMax });
}

function serve(port: number, handler: (request: Request) => Response | Promise<Response>): Deno.HttpServer {
  try {
    return Deno.serve(
      { port, onListen: (address) => log.info("listening", { port: address.port }) },
      handler,
    );
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      complain(`PORT ${port} is in use: stop what listens there, or set PORT to another one`);
    } else if (error instanceof Deno.errors.PermissionDenied) {
      complain(`PORT ${port} may not be used by this user: set PORT to one above 1023`);
    } else throw error;
    return Deno.exit(1);
  }
}

/** Finishes what is in flight, within the grace; a second signal ends everything at once. */
async function untilStopped(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let signals = 0;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (++signals > 1) Deno.exit(130);
      resolve();
    });
  }
  await promise;
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}

function complain(message: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
}

if (import.meta.main) {
  const config = readConfig();
  const { app, readiness, permits, close } = compose(config, readTaxonomy(config.taxonomyFile));
  const server = serve(config.port, app.fetch);
  await untilStopped();
  readiness.drain();
  log.info("draining", { in_flight: permits.inFlight });
  await within(config.shutdownGraceMs, permits.idle());
  await within(1_000, server.shutdown());
  await within(3_000, close());
  log.info("stopped", { in_flight: permits.inFlight });
  Deno.exit(0);
}
