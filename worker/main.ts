// The worker's composition root: environment, adapters, signals and exit codes.

import { ConfigError, logConfig } from "../shared/config.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { createApp } from "./app.ts";
import { parseConfig, type WorkerConfig } from "./config.ts";
import { promptWriter } from "./core/prompt.ts";
import { parseTaxonomy } from "./core/taxonomy.ts";
import { Database } from "./db/database.ts";
import { PostgresLabelStore } from "./db/label_store.ts";
import { PostgresTicketDesk } from "./db/ticket_desk.ts";
import { TicketSchema } from "./db/ticket_schema.ts";
import { DEFAULT_TICKETS_TABLE } from "./db/tickets_table.ts";
import { openaiLlm } from "./llm/client.ts";
import { createMetrics, measuredLlm } from "./metrics.ts";
import { Permits } from "./permits.ts";
import { WorkerReadiness } from "./readiness.ts";
import defaultTaxonomy from "./taxonomy.json" with { type: "json" };

/** Time limit of one statement. Two and a few for health and reading run at once. */
const DATABASE_LIMITS = { statementTimeoutMs: 10_000, connectionsMax: 4 };

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

function compose(config: WorkerConfig) {
  const database = new Database({ url: config.databaseUrl, ...DATABASE_LIMITS });
  const schema = new TicketSchema(database, DEFAULT_TICKETS_TABLE);
  const store = new PostgresLabelStore(schema);
  const taxonomy = parseTaxonomy(defaultTaxonomy);
  const permits = new Permits(config.concurrency);
  const metrics = createMetrics({
    inFlight: () => permits.inFlight,
    unsavedLabels: () => store.unsavedLabels,
    databaseStatements: () => database.statements,
  });
  const llm = measuredLlm(openaiLlm(config.llm), metrics);
  const nowMs = () => Date.now();
  const readiness = new WorkerReadiness({ checkStore: () => store.check(), checkProvider: llm.check, nowMs });
  const app = createApp({
    classification: {
      store,
      llm,
      taxonomy,
      prompts: promptWriter(taxonomy),
      newClaim: () => crypto.randomUUID(),
      onRepeatedClaim: () => metrics.repeatedClaims.inc(),
    },
    permits,
    metrics,
    readiness,
    desk: new PostgresTicketDesk(schema),
    reviewBelow: 0.7,
    tokens: config.tokens,
    maxBodyBytes: config.maxBodyBytes,
    log,
    nowMs,
  });
  const close = async () => {
    await store.close();
    await database.close();
  };
  return { app, readiness, permits, close };
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
  const { app, readiness, permits, close } = compose(config);
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
