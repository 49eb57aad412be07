// `deno task ingress`: one address in front of the pool, for ad-hoc calls: environment, signals and exit codes.

import { collectProblems, logConfig } from "../../shared/config/read.ts";
import { configureLogs, logger } from "../../shared/log.ts";
import { Pool } from "../../shared/pool/pool.ts";
import { EXIT, runMain } from "../../shared/process/main.ts";
import { serve } from "../../shared/process/serve.ts";
import { onStopSignal } from "../../shared/process/stop_signals.ts";
import { within } from "../../shared/wait.ts";
import { createIngress } from "./app.ts";
import { parseIngressConfig } from "./config.ts";

const log = logger("ingress");

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
  const server = serve(
    config.port,
    "PORT",
    (request, { remoteAddr }) => app.fetch(request, { peer: remoteAddr.hostname }),
    config.host,
  );
  await pool.start();
  log.info("listening", { port: server.addr.port, pool: config.pool.urls.map((url) => url.href) });
  await stopping.promise;
  await within(config.shutdownGraceMs, server.shutdown());
  await pool.close();
  log.info("stopped");
  return EXIT.ok;
}

if (import.meta.main) await runMain(main);
