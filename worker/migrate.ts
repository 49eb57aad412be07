// The program `deno task migrate`: brings the database up to date and logs what it did.

import { collectProblems, logConfig, readVariables } from "../shared/config/read.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { EXIT, runMain } from "../shared/process/main.ts";
import { StartError } from "../shared/process/start_error.ts";
import { ticketsTable } from "./config.ts";
import { Database, storeFailure } from "./db/database.ts";
import { migrate, readMigrations } from "./db/migrate.ts";

const log = logger("worker");

async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  const [logs, { DATABASE_URL: url, ...values }] = collectProblems(
    () => logConfig(env, Deno.stdout.isTerminal()),
    () => readVariables(["DATABASE_URL", "TICKETS_TABLE", "TICKETS_COLUMNS"], env),
  );
  configureLogs(logs);
  const table = ticketsTable(values.TICKETS_TABLE, values.TICKETS_COLUMNS);
  const database = new Database({ url, statementTimeoutMs: 60_000, connectionsMax: 1 });
  try {
    const applied = await migrate(database, await readMigrations(), table);
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

if (import.meta.main) await runMain(main);
