// PgBouncer with its default settings between workers and a real PostgreSQL, in both modes.

import assert from "node:assert/strict";
import { Database, storeFailure } from "../../worker/db/database.ts";
import { deliverTickets, TICKETS } from "../support/postgres/delivered_tickets.ts";
import { startPgBouncer } from "../support/postgres/pgbouncer.ts";
import { RealPostgres } from "../support/postgres/real_postgres.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";

for (const mode of ["session", "transaction"] as const) {
  Deno.test(`workers and migrate behind PgBouncer in ${mode} mode pay once for each ticket and answer no 500`, async (test) => {
    await using server = await RealPostgres.start();
    await using pooler = await startPgBouncer(server, mode);

    await test.step("all tickets are labelled", async () => {
      const result = await deliverTickets({ url: pooler.url, tickets: TICKETS, countUrl: server.url });
      assert.deepEqual(result, {
        statuses: { 200: TICKETS },
        secondCalls: 0,
        calledTickets: TICKETS,
        labelled: TICKETS,
      });
      assert.doesNotMatch(pooler.log(), /unsupported startup|prepared statement/);
    });

    await test.step("the server itself ends a statement that takes too long", async () => {
      const database = new Database({ url: pooler.url, statementTimeoutMs: 200, connectionsMax: 1 });
      const failure = await database.run("select pg_sleep(60)", []).then(() => undefined, storeFailure);
      await database.close();
      assert.deepEqual([failure?.cause, failure?.detail], [
        "busy",
        "canceling statement due to statement timeout",
      ]);
    });

    await test.step("and no session is left with a limit of ours", async () => {
      const database = testDatabase(`${pooler.url}?pgbouncer=true`, 1);
      const [row] = await database.run(
        "select reset_val from pg_settings where name = 'statement_timeout'",
        [],
      );
      await database.close();
      assert.deepEqual(row, { reset_val: "0" });
    });
  });
}
