// Migrations: numbered SQL files, each applied once, under a lock so that any number of replicas may try at once.

import type postgres from "postgres";
import type { Database } from "../database.ts";
import { type CreatedIdType, createTicketsTable, widenIds } from "./create_tickets_table.ts";
import type { Parameter, Row } from "../pool.ts";
import { type Query, readTableFacts, type TicketsTable } from "../tickets_table.ts";
import { grantRights, type WorkerRole } from "./worker_rights.ts";

/** One numbered file. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** Any number that no other program takes for its advisory lock: "ackpool" as bytes. */
const LOCK = "27412385839935340";

/** Reads the numbered files, in order. Needs leave to read their folder. */
export async function readMigrations(
  folder = new URL("../migrations/", import.meta.url),
): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const version = Number(/^(\d{4})_\w+\.sql$/.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(version)) {
      throw new Error(`Migrations folder holds a file that is not NNNN_name.sql: ${name}`);
    }
    migrations.push({ version, name, sql: await Deno.readTextFile(new URL(name, folder)) });
  }
  return migrations.sort((a, b) => a.version - b.version);
}

/**
 * Applies what is missing, all or nothing, and answers the names of what it applied. `idType` is the type of the ids
 * where the tickets table is created; `text` also widens whole-number ids of a table that is there. Where nothing is
 * missing, reading is all the right it needs.
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  table: TicketsTable,
  idType: CreatedIdType = "bigint",
  grantTo?: WorkerRole,
): Promise<readonly string[]> {
  const applied: string[] = [];
  await database.transaction(async (sql) => {
    // `create schema if not exists` is no protection: two at once still collide. The lock comes first.
    await sql.unsafe(`select pg_advisory_xact_lock(${LOCK})`);
    await sql.unsafe("set local statement_timeout = 0");
    const done = await appliedVersions(sql);
    for (const migration of migrations.filter(({ version }) => !done.has(version))) {
      await sql.unsafe(migration.sql).simple();
      await sql.unsafe("insert into ackpool.migrations (version, name) values ($1, $2)", [
        migration.version,
        migration.name,
      ]);
      applied.push(migration.name);
    }
    applied.push(...await prepareTable(sql, table, idType));
    if (grantTo !== undefined) applied.push(...await grantRights(queryIn(sql), grantTo, table));
  });
  return applied;
}

function queryIn(session: postgres.TransactionSql): Query {
  return <R extends Row>(statement: string, parameters: readonly Parameter[]) =>
    session.unsafe<R[]>(statement, [...parameters]);
}

async function prepareTable(
  sql: postgres.TransactionSql,
  table: TicketsTable,
  idType: CreatedIdType,
): Promise<readonly string[]> {
  const facts = await readTableFacts(queryIn(sql), table);
  if (facts === undefined) {
    await createTicketsTable(queryIn(sql), table, idType);
    await readTableFacts(queryIn(sql), table);
    return [`table ${table.name}`];
  }
  if (idType !== "text" || facts.idType !== "bigint") return [];
  const widened = await sql.savepoint((inner) => widenIds(queryIn(inner), table)).then(
    () => true,
    () => false,
  );
  return widened ? [`text ids in table ${table.name}`] : [];
}

async function appliedVersions(sql: postgres.TransactionSql): Promise<ReadonlySet<number>> {
  // Where there is nothing to do, no right to create anything is needed.
  const [found] = await sql.unsafe<{ there: boolean }[]>(
    "select to_regclass('ackpool.migrations') is not null as there",
  );
  if (!found?.there) {
    await sql.unsafe(`
      create schema if not exists ackpool;
      create table ackpool.migrations (
        version integer not null,
        name text not null,
        applied_at timestamptz not null default now(),
        constraint migrations_pkey primary key (version)
      )`).simple();
  }
  const rows = await sql.unsafe<{ version: number }[]>("select version from ackpool.migrations");
  return new Set(rows.map(({ version }) => version));
}
