import assert from "node:assert/strict";
import type { Database } from "../../../../worker/db/database.ts";
import { storeFailure } from "../../../../worker/db/database.ts";
import { TableCatalog } from "../../../../worker/db/table_catalog.ts";
import { DEFAULT_TICKETS_TABLE } from "../../../../worker/db/tickets_table.ts";

/** A database that is there or away, and knows one table. */
function database(state: { away: boolean }): Database {
  const run = () =>
    state.away
      ? Promise.reject(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }))
      : Promise.resolve([{
        there: true,
        id_type: "bigint",
        category_type: "text",
        classified_at_type: "date",
      }]);
  return { run } as unknown as Database;
}

Deno.test("TableCatalog.canonical() still tells a ticket's id while a health check finds the database away", async () => {
  const state = { away: false };
  const catalog = new TableCatalog(database(state), DEFAULT_TICKETS_TABLE);
  assert.equal(await catalog.canonical("007"), "7");
  state.away = true;
  catalog.forget();
  await assert.rejects(catalog.known());
  assert.equal(await catalog.canonical("007"), "7");
});

Deno.test("TableCatalog.canonical() fails as unreachable where the table was never read", async () => {
  const catalog = new TableCatalog(database({ away: true }), DEFAULT_TICKETS_TABLE);
  assert.deepEqual(await catalog.canonical("7"), {
    kind: "failed",
    cause: "unreachable",
    detail: "write EPIPE",
  });
});

Deno.test("storeFailure() takes a cut connection for an outage, not for an SQLSTATE", () => {
  const cut = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  const unknown = Object.assign(new Error("odd"), { code: "22P02" });
  assert.equal(storeFailure(cut).cause, "unreachable");
  assert.equal(storeFailure(unknown).cause, "unexpected");
});
