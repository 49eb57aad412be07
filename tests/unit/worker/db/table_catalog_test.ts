import assert from "node:assert/strict";
import type { Database } from "../../../../worker/db/database.ts";
import { storeFailure } from "../../../../worker/db/database.ts";
import { TicketSchema } from "../../../../worker/db/table_catalog.ts";
import { DEFAULT_TICKETS_TABLE } from "../../../../worker/db/tickets_table.ts";

/** A database that is there or away, and knows one table. */
function database(state: { away: boolean }): Database {
  const run = () =>
    state.away
      ? Promise.reject(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }))
      : Promise.resolve([{ there: true, type: "bigint" }]);
  return { run } as unknown as Database;
}

Deno.test("TicketSchema.canonical() still tells a ticket's id while a health check finds the database away", async () => {
  const state = { away: false };
  const schema = new TicketSchema(database(state), DEFAULT_TICKETS_TABLE);
  assert.equal(await schema.canonical("007"), "7");
  state.away = true;
  schema.forget();
  await assert.rejects(schema.known());
  assert.equal(await schema.canonical("007"), "7");
});

Deno.test("TicketSchema.canonical() fails as unreachable where the table was never read", async () => {
  const schema = new TicketSchema(database({ away: true }), DEFAULT_TICKETS_TABLE);
  assert.deepEqual(await schema.canonical("7"), {
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
