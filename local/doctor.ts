// `deno task doctor`: checks everything that is configured before anything runs, and says what to do.

import { commandEnvironment, hasOwnKafka } from "../consumer/cli/environment.ts";
import type { Environment } from "../shared/config/read.ts";
import { configureLogs } from "../shared/log.ts";
import { parseFlags } from "../shared/process/command_line.ts";
import { EXIT, runMain } from "../shared/process/main.ts";
import { HOME_FOLDER, readRun, type Run } from "../shared/run_file.ts";
import { DOCTOR } from "./doctor/arguments.ts";
import { checkDatabase } from "./doctor/database.ts";
import { type Check, type Finding, findingsOf } from "./doctor/finding.ts";
import { checkKafka } from "./doctor/kafka.ts";
import { checkMachine } from "./doctor/machine.ts";
import { checkModel } from "./doctor/model.ts";
import { findingsAsText } from "./doctor/text.ts";
import { checkWorkers } from "./doctor/workers.ts";
import { standardTerminal } from "./terminal.ts";

/** Checks run side by side, so this is about all of them. */
const LIMIT_MS = 25_000;

const env: Environment = (name) => Deno.env.get(name);

async function main(): Promise<number> {
  const { values: { json, "no-model": noModel } } = parseFlags({ args: Deno.args, options: DOCTOR.options });
  configureLogs({ level: "error", format: "pretty" });
  const run = await readRun(HOME_FOLDER);
  const checks = checksOf(run, noModel !== true);
  const found = (await Promise.all(checks.map(findingsOf))).flat();
  const findings = [...found, ...checkMachine({ memory: Deno.systemMemoryInfo(), nowMs: Date.now() })];
  const wrong = findings.some(({ state }) => state === "fail");
  using screen = standardTerminal();
  screen.line(
    json ? JSON.stringify({ ok: !wrong, findings }, null, 2) : findingsAsText(findings, screen.coloured),
  );
  return wrong ? EXIT.failed : EXIT.ok;
}

/** A running start's own Kafka and Postgres stand in for what is not configured. */
function checksOf(run: Run | undefined, asksModel: boolean): readonly Check[] {
  const kafka = commandEnvironment(env, hasOwnKafka(env) ? undefined : run);
  const database: Environment = (name) =>
    env(name)?.trim() || (name === "DATABASE_URL" ? run?.databaseUrl : undefined);
  const check = (about: string, look: () => Promise<readonly Finding[]>) => ({
    about,
    look,
    limitMs: LIMIT_MS,
  });
  return [
    check("broker", () => checkKafka(kafka)),
    check("database", () => checkDatabase(database)),
    check("model", () => checkModel(env, asksModel)),
    check("workers", () => checkWorkers(env)),
  ];
}

if (import.meta.main) await runMain(main, DOCTOR);
