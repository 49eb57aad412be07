// `deno task drain`: a consumer that ends when nothing is left, once for cron or again and again by its own schedule.

import { Cron } from "croner";
import { collectProblems, type Environment, logConfig } from "../shared/config/read.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { parseFlags } from "../shared/process/command_line.ts";
import { EXIT, runMain } from "../shared/process/main.ts";
import { StartError } from "../shared/process/start_error.ts";
import { onStopSignal } from "../shared/process/stop_signals.ts";
import { DRAIN } from "./cli/drain_arguments.ts";
import { parseSpan } from "./cli/time_span.ts";
import { type ConsumerConfig, parseConfig } from "./config.ts";
import { partsOf, runConsumer } from "./consumer.ts";
import { checkTlsFiles } from "./kafka/client/security_config.ts";

const IDLE_EXIT_MS = "5000";

const log = logger("drain");

async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  const { every, overlap } = readArguments();
  const [logs, config] = collectProblems(
    () => logConfig(env, Deno.stdout.isTerminal()),
    () => parseConfig((name) => env(name) ?? (name === "IDLE_EXIT_MS" ? IDLE_EXIT_MS : undefined)),
    () => checkTlsFiles(env),
  );
  configureLogs(logs);
  const stopping = new AbortController();
  onStopSignal((signal) => {
    log.info("stopping", { signal });
    stopping.abort();
  });
  const run = () => drain(config, env, stopping.signal);
  if (every === undefined) return await run() ? EXIT.ok : EXIT.failed;
  await schedule(every, overlap, run, stopping.signal);
  return EXIT.ok;
}

function readArguments() {
  const { values } = parseFlags({ args: Deno.args, options: DRAIN.options });
  return { every: values.every, overlap: values["no-overlap"] !== true };
}

/** One run; says whether it ended as it should. */
async function drain(config: ConsumerConfig, env: Environment, stopping: AbortSignal): Promise<boolean> {
  const parts = partsOf(config);
  // Runs that overlap cannot share a port.
  const adminPort = env("ADMIN_PORT") ? parts.adminPort : undefined;
  const { idle, clean, ...counts } = await runConsumer({ ...parts, adminPort }, stopping);
  log.info("drained", { idle, clean, ...counts });
  return clean;
}

/** Runs by the clock until `stopping` fires, then waits for what still runs. */
async function schedule(
  every: string,
  overlap: boolean,
  run: () => Promise<boolean>,
  stopping: AbortSignal,
): Promise<void> {
  const running = new Set<Promise<unknown>>();
  const one = async () => {
    const ended = run().catch((error: Error) => log.error("drain failed", { error: error.message }));
    running.add(ended);
    await ended;
    running.delete(ended);
  };
  const skipped = () => log.warn("skipped: the last run is still going");
  const clock = clockOf(every, overlap ? false : skipped, one);
  log.info("scheduled", { every, overlap, next: clock.nextRun()?.toISOString() });
  await new Promise<void>((resolve) => {
    if (stopping.aborted) resolve();
    stopping.addEventListener("abort", () => resolve(), { once: true });
  });
  clock.stop();
  await Promise.all(running);
}

function clockOf(every: string, protect: false | (() => void), one: () => Promise<void>): Cron {
  const spanMs = parseSpan(every);
  try {
    // A time is the seconds' clock with an interval: it begins at once.
    return spanMs === undefined
      ? new Cron(every, { protect }, one)
      : new Cron("* * * * * *", { protect, interval: Math.max(1, spanMs / 1000) }, one);
  } catch (error) {
    throw new StartError(
      `--every is neither a time such as 5m nor a cron expression: current value is "${every}" (${
        (error as Error).message
      })`,
    );
  }
}

if (import.meta.main) await runMain(main, DRAIN);
