// Worker as a fetch-style module: `deno serve worker/serve.ts` owns the socket, and with --parallel runs one isolate a
// core. Nothing here needs a disk.

import { collectProblems, logConfig } from "../shared/config/read.ts";
import { configureLogs, logger } from "../shared/log.ts";
import type { Program } from "../shared/process/command_line.ts";
import { EXIT, partsOrExit } from "../shared/process/main.ts";
import { onStopSignal } from "../shared/process/stop_signals.ts";
import { within } from "../shared/wait.ts";
import { compose, warnIfOpen } from "./compose.ts";
import { parseConfig } from "./config.ts";
import { Isolates } from "./isolates.ts";
import { readTaxonomy } from "./read_taxonomy.ts";

const WORKER: Program = {
  task: "worker:serve",
  usage: "The worker under deno serve: DENO_JOBS isolates (one a core) behind one port, without a disk.",
  examples: [["worker:serve", "with DATABASE_URL and OPENAI_API_KEY or OPENAI_BASE_URL set"]],
  notes: "deno serve takes the address: --port and --host stand before worker/serve.ts, PORT is not read.",
};

const log = logger("worker");
/** Tells the isolates of one process apart, in the metrics too: each counts what it did itself. */
const isolate = crypto.randomUUID().slice(0, 8);

const { config, parts } = partsOrExit(WORKER, () => {
  const env = (name: string) => Deno.env.get(name);
  const [logs, config, taxonomy] = collectProblems(
    () => logConfig(env, Deno.stdout.isTerminal()),
    () => parseConfig(env),
    () => readTaxonomy(env("TAXONOMY_FILE")?.trim() || undefined),
  );
  configureLogs(logs, true);
  return { config, parts: compose(config, taxonomy) };
});
const { app, readiness, permits, metrics, close } = parts;

metrics.registry.setDefaultLabels({ isolate });
const isolates = new Isolates(
  isolate,
  new BroadcastChannel("ackpool-worker"),
  (count) => permits.divideAmong(count),
);
readiness.causes().catch(() => {});
// A signal reaches every isolate, and the first that exits ends all: each waits for the others.
onStopSignal(() => void stop());

async function stop(): Promise<void> {
  readiness.drain();
  log.info("draining", { isolate, in_flight: permits.inFlight });
  await within(config.shutdownGraceMs, permits.idle());
  await within(3_000, close());
  log.info("stopped", { isolate, in_flight: permits.inFlight });
  // Log lines are written with the next timer; an exit of another isolate would lose them.
  await new Promise((resolve) => setTimeout(resolve));
  await within(config.shutdownGraceMs, isolates.done());
  Deno.exit(EXIT.ok);
}

export default {
  fetch: (request) => app.fetch(request),
  // Called in one isolate alone.
  onListen: (address) => {
    if (address.transport !== "tcp") return;
    log.info("listening", { port: address.port });
    warnIfOpen(config, address.hostname);
  },
} satisfies Deno.ServeDefaultExport;
