// The day's budget over several workers, on PGlite and on real PostgreSQL.

import assert from "node:assert/strict";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { SpendLedger } from "../../worker/db/spend_ledger.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { databaseKinds } from "../support/postgres/test_database.ts";

const usage = (model: string, inputTokens: number, outputTokens: number) => ({
  model,
  inputTokens,
  outputTokens,
});
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
      one.add(usage("m", 20, 10), 0.01);
      await one.flush();
      assert.equal(one.reached(), undefined);
      await migrate(database, await readMigrations(), DEFAULT_TICKETS_TABLE);
      await one.flush();
      const rows = await database.run(
        "select day::text, model, calls::int, input_tokens::int, output_tokens::int, tokens::int, usd from ackpool.spend",
        [],
      );
      const row = { model: "m", calls: 1, input_tokens: 20, output_tokens: 10, tokens: 30 };
      assert.deepEqual([...rows], [{ day: "2026-11-21", ...row, usd: 0.01 }]);
    });

    await test.step("reached() counts what other workers spent", async () => {
      two.add(usage("other", 80, 0), 0);
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

    await test.step("flush() keeps what is spent by model without a budget, and what midnight comes in between of", async () => {
      const none = { tokensPerDay: undefined, usdPerDay: undefined };
      const free = new SpendLedger(database, none, () => nowMs);
      free.add(usage("a", 1, 1), 0.5);
      free.add(usage("b", 2, 2), null);
      nowMs += DAY_MS;
      free.add({ ...usage("a-2026-11", 3, 3), askedModel: "a" }, 0.25);
      free.add({ ...usage("a-2026-12", 3, 3), askedModel: "a" }, 0.25);
      await free.flush();
      const rows = await database.run(
        "select day::text, model, calls::int, tokens::int, usd, unpriced_calls::int from ackpool.spend where day > '2026-11-21' order by 1, 2",
        [],
      );
      assert.deepEqual([...rows], [
        { day: "2026-11-22", model: "a", calls: 1, tokens: 2, usd: 0.5, unpriced_calls: 0 },
        { day: "2026-11-22", model: "b", calls: 1, tokens: 4, usd: 0, unpriced_calls: 1 },
        { day: "2026-11-23", model: "a", calls: 2, tokens: 12, usd: 0.5, unpriced_calls: 0 },
      ]);
    });
    await database.close();
  });
}
