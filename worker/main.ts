// Program of the worker: environment, parts, signals and exit codes.

import { collectProblems, logConfig } from "../shared/config/read.ts";
import { configureLogs, logger } from "../shared/log.ts";
import type { Program } from "../shared/process/command_line.ts";
import { EXIT, runMain } from "../shared/process/main.ts";
import { serve } from "../shared/process/serve.ts";
import { onStopSignal } from "../shared/process/stop_signals.ts";
import { within } from "../shared/wait.ts";
import { parseConfig } from "./config.ts";
import { compose, warnIfOpen } from "./compose.ts";
import { readTaxonomy } from "./read_taxonomy.ts";

const WORKER: Program = {
  task: "worker",
  usage: "One replica of the worker: takes tickets over HTTP, asks the LLM, writes labels to Postgres.",
  examples: [["worker", "with DATABASE_URL and OPENAI_API_KEY or OPENAI_BASE_URL set"]],
  notes: "docs/configuration.md has its variables. The tables come from deno task migrate.",
};

const log = logger("worker");

/** Finishes what is in flight, within the grace; a second signal ends everything at once. */
async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  const [logs, config, taxonomy] = collectProblems(
    () => logConfig(env, Deno.stdout.isTerminal()),
    () => parseConfig(env),
    () => readTaxonomy(env("TAXONOMY_FILE")?.trim() || undefined),
  );
  configureLogs(logs, true);
  for (const note of config.database.notes) log.warn("DATABASE_URL", { note });
  const stopping = Promise.withResolvers<void>();
  onStopSignal(() => stopping.resolve());
  const { app, readiness, permits, close } = compose(config, taxonomy);
  const server = serve(config.port, "PORT", app.fetch, config.host);
  log.info("listening", { port: server.addr.port });
  // Logs what is wrong from the start, and a model that goes away, before anybody asks.
  readiness.causes().catch(() => {});
  warnIfOpen(config, config.host);
  await stopping.promise;
  readiness.drain();
  log.info("draining", { in_flight: permits.inFlight });
  await within(config.shutdownGraceMs, permits.idle());
  await within(1_000, server.shutdown());
  await within(3_000, close());
  log.info("stopped", { in_flight: permits.inFlight });
  return EXIT.ok;
}

if (import.meta.main) await runMain(main, WORKER);
