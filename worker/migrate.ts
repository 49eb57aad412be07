// The program `deno task migrate [--text-ids] [--grant ROLE]`: brings the database up to date and logs what it did.

import { collectProblems, logConfig, readVariables } from "../shared/config/read.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { parseFlags, UsageError } from "../shared/process/command_line.ts";
import { EXIT, runMain } from "../shared/process/main.ts";
import { StartError } from "../shared/process/start_error.ts";
import { ticketsTable } from "./config.ts";
import { Database, storeFailure } from "./db/database.ts";
import { MIGRATE } from "./migrate_arguments.ts";
import { migrate, readMigrations } from "./db/schema/migrate.ts";

const log = logger("worker");

async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  const { values: { "text-ids": textIds, grant } } = parseFlags({
    args: Deno.args,
    options: MIGRATE.options,
  });
  if (grant === "") throw new UsageError("--grant names no role");
  const idType = textIds ? "text" : "bigint";
  const [logs, values] = collectProblems(
    () => logConfig(env, Deno.stdout.isTerminal()),
    () => readVariables(["DATABASE_URL", "DATABASE_GRANT_PASSWORD", "TICKETS_TABLE", "TICKETS_COLUMNS"], env),
  );
  configureLogs(logs);
  const database = new Database({ url: values.DATABASE_URL, statementTimeoutMs: 60_000, connectionsMax: 1 });
  try {
    const role = grant === undefined ? undefined : { name: grant, password: values.DATABASE_GRANT_PASSWORD };
    const applied = await migrate(database, await readMigrations(), ticketsTable(values), idType, role);
    log.info("migrated", { applied });
    return EXIT.ok;
  } catch (error) {
    const { cause, detail } = storeFailure(error);
    throw new StartError(
      `The database could not be migrated (${cause}): ${detail}. Check DATABASE_URL and the user's rights`,
    );
  } finally {
    await database.close();
  }
}

if (import.meta.main) await runMain(main, MIGRATE);
