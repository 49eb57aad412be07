// The day's budget over several workers, on PGlite and on real PostgreSQL.

import assert from "node:assert/strict";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { SpendLedger } from "../../worker/db/spend_ledger.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { databaseKinds } from "../support/postgres/test_database.ts";

const DAY_MS = 86_400_000;

for (const kind of databaseKinds()) {
  Deno.test(`SpendLedger on ${kind.name}`, async (test) => {
    await using fresh = await kind.start();
    const database = testDatabase(fresh.url);
    const budget = { tokensPerDay: 100, usdPerDay: undefined };
    let nowMs = Date.parse("2026-11-21T12:00:00Z");
    const ledgers = [1, 2].map(() => new SpendLedger(database, budget, () => nowMs));
    const [one, two] = ledgers;
    assert.ok(one && two);

    await test.step("flush() keeps what cannot be stored yet", async () => {
      one.add(30, 0.01);
      await one.flush();
      assert.equal(one.reached(), undefined);
      await migrate(database, await readMigrations(), DEFAULT_TICKETS_TABLE);
      await one.flush();
      const rows = await database.run("select day::text, tokens::int, usd from ackpool.spend", []);
      assert.deepEqual([...rows], [{ day: "2026-11-21", tokens: 30, usd: 0.01 }]);
    });

    await test.step("reached() counts what other workers spent", async () => {
      two.add(80, 0);
      assert.equal(two.reached(), undefined);
      await two.flush();
      assert.match(two.reached() ?? "", /110 of 100/);
      await one.flush();
      assert.match(one.reached() ?? "", /110 of 100/);
    });

    await test.step("reached() begins anew at midnight UTC", () => {
      nowMs += DAY_MS;
      assert.deepEqual(ledgers.map((ledger) => ledger.reached()), [undefined, undefined]);
    });
    await database.close();
  });
}
