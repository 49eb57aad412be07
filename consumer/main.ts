// `deno task consumer`: reads the environment, and turns signals and ends into an exit code.

import { collectProblems, logConfig } from "../shared/config/read.ts";
import { configureLogs, logger } from "../shared/log.ts";
import type { Program } from "../shared/process/command_line.ts";
import { EXIT, runMain } from "../shared/process/main.ts";
import { onStopSignal } from "../shared/process/stop_signals.ts";
import { parseConfig } from "./config.ts";
import { partsOf, runConsumer } from "./consumer.ts";
import { checkTlsFiles } from "./kafka/client/security_config.ts";

const CONSUMER: Program = {
  task: "consumer",
  usage: "Reads records from Kafka, sends each to a worker, and commits what is settled.",
  examples: [["consumer", "with KAFKA_BROKERS and WORKER_URL set"]],
  notes: "docs/configuration.md has its variables.",
};

const log = logger("consumer");

async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  const [logs, config] = collectProblems(
    () => logConfig(env, Deno.stdout.isTerminal()),
    () => parseConfig(env),
    () => checkTlsFiles(env),
  );
  configureLogs(logs);
  const stopping = new AbortController();
  onStopSignal((signal) => {
    log.info("stopping", { signal });
    stopping.abort();
  });
  await runConsumer(partsOf(config), stopping.signal);
  return EXIT.ok;
}

if (import.meta.main) await runMain(main, CONSUMER);
