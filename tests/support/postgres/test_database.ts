// A fresh database for a test file: PGlite behind its socket always, real PostgreSQL too where DATABASE_URL_TEST is set.

import postgres from "postgres";
import { openInMemory } from "../../../local/embedded/postgres/in_memory.ts";
import { servePostgres } from "../../../local/embedded/postgres/server.ts";

/** An empty database that is gone after the test. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/** One way to get a database. */
export interface DatabaseKind {
  readonly name: "PGlite" | "PostgreSQL";
  readonly start: () => Promise<TestDatabase>;
}

/** The kinds this run has. */
export function databaseKinds(): readonly DatabaseKind[] {
  const real = Deno.env.get("DATABASE_URL_TEST");
  const embedded: DatabaseKind = { name: "PGlite", start: startEmbedded };
  return real === undefined ? [embedded] : [embedded, { name: "PostgreSQL", start: () => createReal(real) }];
}

/** The most real kind there is. */
export function bestDatabase(): Promise<TestDatabase> {
  return (databaseKinds().at(-1) ?? { start: startEmbedded }).start();
}

async function startEmbedded(): Promise<TestDatabase> {
  const database = await openInMemory();
  const server = servePostgres(database, 0);
  return {
    url: `postgres://postgres@127.0.0.1:${server.port}/postgres`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await database.close();
    },
  };
}

async function createReal(adminUrl: string): Promise<TestDatabase> {
  const name = `ackpool_test_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
  await asAdmin(adminUrl, `create database ${name}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => asAdmin(adminUrl, `drop database ${name} with (force)`),
  };
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
