// `deno task migrate`: brings the database up to date and says what it did.

import { ConfigError, logConfig, readVariables } from "../shared/config.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { ticketsTable } from "./config.ts";
import { Database, storeFailure } from "./db/database.ts";
import { migrate, readMigrations } from "./db/migrate.ts";

function complain(message: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
}

function readConfig() {
  try {
    const env = (name: string) => Deno.env.get(name);
    configureLogs(logConfig(env, Deno.stdout.isTerminal()));
    const values = readVariables(["DATABASE_URL", "TICKETS_TABLE", "TICKETS_COLUMNS"], env);
    return { url: values.DATABASE_URL, table: ticketsTable(values.TICKETS_TABLE, values.TICKETS_COLUMNS) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    complain(error.message);
    return Deno.exit(2);
  }
}

if (import.meta.main) {
  const { url, table } = readConfig();
  const database = new Database({ url, statementTimeoutMs: 60_000, connectionsMax: 1 });
  try {
    const applied = await migrate(database, await readMigrations(), table);
    logger("worker").info("migrated", { applied });
  } catch (error) {
    const { cause, detail } = storeFailure(error);
    complain(
      `The database could not be migrated (${cause}): ${detail}. Check DATABASE_URL and the user's rights`,
    );
    Deno.exit(1);
  } finally {
    await database.close();
  }
}
