// The program `deno task migrate [--text-ids]`: brings the database up to date and logs what it did.

import { collectProblems, logConfig, readVariables } from "../shared/config/read.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { EXIT, runMain } from "../shared/process/main.ts";
import { StartError } from "../shared/process/start_error.ts";
import { ticketsTable } from "./config.ts";
import { Database, storeFailure } from "./db/database.ts";
import type { CreatedIdType } from "./db/create_tickets_table.ts";
import { migrate, readMigrations } from "./db/migrate.ts";

const TEXT_IDS = "--text-ids";

const log = logger("worker");

async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  const idType = createdIdType(Deno.args);
  const [logs, values] = collectProblems(
    () => logConfig(env, Deno.stdout.isTerminal()),
    () => readVariables(["DATABASE_URL", "TICKETS_TABLE", "TICKETS_COLUMNS"], env),
  );
  configureLogs(logs);
  const database = new Database({ url: values.DATABASE_URL, statementTimeoutMs: 60_000, connectionsMax: 1 });
  try {
    const applied = await migrate(database, await readMigrations(), ticketsTable(values), idType);
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

/** @throws {StartError} on anything else. */
function createdIdType(args: readonly string[]): CreatedIdType {
  if (args.length === 0) return "bigint";
  if (args.length === 1 && args[0] === TEXT_IDS) return "text";
  throw new StartError(`Usage: deno task migrate [${TEXT_IDS}], which makes the tickets' ids text`);
}

if (import.meta.main) await runMain(main);
