// `deno task ingress`: one address in front of the pool, for ad-hoc calls: environment, signals and exit codes.

import { collectProblems, logConfig } from "../../shared/config/read.ts";
import { configureLogs, logger } from "../../shared/log.ts";
import { Pool } from "../../shared/pool/pool.ts";
import type { Program } from "../../shared/process/command_line.ts";
import { EXIT, runMain } from "../../shared/process/main.ts";
import { isLoopback } from "../../shared/http/loopback.ts";
import { onStopSignal } from "../../shared/process/stop_signals.ts";
import { within } from "../../shared/wait.ts";
import { createIngress } from "./app.ts";
import { parseIngressConfig } from "./config.ts";
import { serveIngress } from "./server.ts";

const INGRESS: Program = {
  task: "ingress",
  usage: "One address for ad-hoc calls in front of all workers.",
  examples: [["ingress", "with WORKER_URL set"]],
  notes: "docs/configuration.md has its variables.",
};

const log = logger("ingress");

const OPEN = "Whoever reaches this port may classify and override labels; set INGRESS_TOKEN and WORKER_TOKEN";

/** Finishes what is in flight, within the grace; a second signal ends everything at once. */
async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  const [logs, config] = collectProblems(
    () => logConfig(env, Deno.stdout.isTerminal()),
    () => parseIngressConfig(env),
  );
  configureLogs(logs);
  const pool = new Pool(config.pool);
  const stopping = Promise.withResolvers<void>();
  let draining = false;
  onStopSignal((signal) => {
    log.info("stopping", { signal });
    draining = true;
    stopping.resolve();
  });
  const app = createIngress({ ...config.rules, pool, draining: () => draining });
  const server = await serveIngress(
    (request, peer) => app.fetch(request, peer === undefined ? {} : { peer }),
    config,
  );
  await pool.start();
  if (config.rules.tokens.length === 0 && !isLoopback(config.host)) {
    log.warn("open to everybody", { what: OPEN });
  }
  log.info("listening", { port: server.port, pool: config.pool.urls.map((url) => url.href) });
  await stopping.promise;
  await within(config.shutdownGraceMs, server.shutdown());
  await pool.close();
  log.info("stopped");
  return EXIT.ok;
}

if (import.meta.main) await runMain(main, INGRESS);
