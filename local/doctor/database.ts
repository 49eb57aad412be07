// What the doctor looks at in Postgres: the server, the schema, the tickets table, and how far the clocks are apart.

import { type Environment, readVariables } from "../../shared/config/read.ts";
import { describeTarget, parseConnectionString } from "../../shared/postgres/connection_string.ts";
import { ticketsTable } from "../../worker/config.ts";
import { Database, storeFailure } from "../../worker/db/database.ts";
import { PostgresLabelStore } from "../../worker/db/label_store.ts";
import { readMigrations } from "../../worker/db/schema/migrate.ts";
import { TableCatalog } from "../../worker/db/table_catalog.ts";
import { type Finding, Findings } from "./finding.ts";

const TIMEOUT_MS = 5_000;
/** Ages, leases and budgets go by the clock; a second or two does no harm. */
const CLOCKS_APART_MAX_MS = 5_000;

const REMEDIES: Readonly<Record<string, string>> = {
  unreachable: "Start the server, or check host, port and network of DATABASE_URL",
  misconfigured: "Check user, password, database and rights in DATABASE_URL",
  read_only: "Promote the server, or point DATABASE_URL to the one that takes writes",
};

/** @param env the environment, with the address of a running start's Postgres. */
export async function checkDatabase(env: Environment): Promise<readonly Finding[]> {
  const findings = new Findings();
  if (!env("DATABASE_URL")?.trim()) {
    findings.embedded("database", "DATABASE_URL is not set: start brings a Postgres of its own");
    return findings.all;
  }
  const values = readVariables(["DATABASE_URL", "TICKETS_TABLE", "TICKETS_COLUMNS"], env);
  const url = values.DATABASE_URL;
  for (const note of parseConnectionString(url).notes) {
    findings.warn("database", note, "Correct DATABASE_URL");
  }
  const database = new Database({ url, statementTimeoutMs: TIMEOUT_MS, connectionsMax: 1 });
  try {
    await lookAtServer(findings, database, describeTarget(parseConnectionString(url)));
    if (await lookAtSchema(findings, database)) {
      await lookAtTable(findings, new TableCatalog(database, ticketsTable(values)));
    }
  } catch (error) {
    const { cause, detail } = storeFailure(error);
    findings.fail("database", detail, REMEDIES[cause] ?? "Look at the server's log");
  } finally {
    await database.close();
  }
  return findings.all;
}

async function lookAtServer(findings: Findings, database: Database, where: string): Promise<void> {
  const startedMs = performance.now();
  const [row] = await database.run<{ version: string; now_ms: string }>(
    "select current_setting('server_version') as version, (extract(epoch from clock_timestamp()) * 1000)::bigint::text as now_ms",
    [],
  );
  const tookMs = Math.round(performance.now() - startedMs);
  findings.ok("database", `PostgreSQL ${row?.version} at ${where} answers in ${tookMs} ms`);
  const apartMs = Math.max(0, Math.abs(Date.now() - Number(row?.now_ms)) - tookMs);
  if (apartMs > CLOCKS_APART_MAX_MS) {
    findings.warn(
      "clock",
      `${Math.round(apartMs / 1000)} s apart from the database's`,
      "Let both machines follow NTP",
    );
  } else findings.ok("clock", "as the database's");
}

/** Whether the worker's own tables are there. */
async function lookAtSchema(findings: Findings, database: Database): Promise<boolean> {
  const MIGRATE = "Run deno task migrate";
  const [there] = await database.run<{ there: boolean }>(
    "select to_regclass('ackpool.migrations') is not null as there",
    [],
  );
  const all = await readMigrations();
  if (there?.there !== true) {
    findings.fail("schema", "the worker's tables are not there", MIGRATE);
    return false;
  }
  const rows = await database.run<{ version: number }>("select version from ackpool.migrations", []);
  const done = new Set(rows.map(({ version }) => version));
  const missing = all.filter(({ version }) => !done.has(version)).map(({ name }) => name);
  if (missing.length === 0) findings.ok("schema", `${all.length} migrations are applied`);
  else findings.fail("schema", `not applied yet: ${missing.join(", ")}`, MIGRATE);
  return missing.length === 0;
}

/** As the worker's own readiness does. */
async function lookAtTable(findings: Findings, catalog: TableCatalog): Promise<void> {
  const store = new PostgresLabelStore(catalog);
  try {
    const failure = await store.check();
    if (failure !== undefined) {
      findings.fail(
        "table",
        failure.detail,
        "Run deno task migrate, or check TICKETS_TABLE, TICKETS_COLUMNS and rights",
      );
      return;
    }
    const { idType } = await catalog.known();
    findings.ok("table", `${catalog.table.name}: ids are ${idType}`);
  } finally {
    await store.close();
  }
}
