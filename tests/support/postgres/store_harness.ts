// The Postgres label store as the conformance suite wants it: two replicas, and a look at the tables behind them.

import { Database } from "../../../worker/db/database.ts";
import { PostgresLabelStore } from "../../../worker/db/label_store.ts";
import { migrate, readMigrations } from "../../../worker/db/schema/migrate.ts";
import { PostgresReviewStore } from "../../../worker/db/review_store.ts";
import { TableCatalog } from "../../../worker/db/table_catalog.ts";
import { DEFAULT_TICKETS_TABLE } from "../../../worker/db/tickets_table.ts";
import type { StoreHarness } from "../../contract/label_store_suite.ts";
import type { DatabaseKind } from "./test_database.ts";

/** A {@link Database} with the time limits of tests. */
export function testDatabase(url: string, connectionsMax = 4): Database {
  return new Database({ url, statementTimeoutMs: 10_000, connectionsMax });
}

/** Migrates a fresh database and builds two stores on it, each with connections of its own. */
export async function startStoreHarness(kind: DatabaseKind): Promise<StoreHarness> {
  const database = await kind.start();
  const [admin, first, second] = [
    testDatabase(database.url),
    testDatabase(database.url),
    testDatabase(database.url),
  ];
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  const storeOn = (connection: Database) =>
    new PostgresLabelStore(new TableCatalog(connection, DEFAULT_TICKETS_TABLE));
  const stores = [storeOn(first), storeOn(second)] as const;
  const reviews = new PostgresReviewStore(new TableCatalog(admin, DEFAULT_TICKETS_TABLE));
  let nextId = 1;
  return {
    stores,
    addTicket: async () => {
      const id = nextId++;
      await admin.run("insert into tickets (id, subject, body) values ($1, 's', 'b')", [id]);
      return String(id);
    },
    removeTicket: async (id) => void await admin.run("delete from tickets where id = $1", [id]),
    category: async (id) => {
      const [row] = await admin.run<{ category: string | null }>(
        "select category from tickets where id = $1",
        [id],
      );
      return row?.category ?? null;
    },
    override: async (id, category) => {
      const written = await reviews.override({ ticketId: id, category, by: "ada", reason: null });
      if (written.kind !== "written") throw new Error(`Override of ${id} came to ${JSON.stringify(written)}`);
    },
    expireClaims: async () =>
      void await admin.run("update ackpool.labels set claimed_until = now() - interval '1 s'", []),
    [Symbol.asyncDispose]: async () => {
      for (const store of stores) await store.close();
      for (const connection of [admin, first, second]) await connection.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
