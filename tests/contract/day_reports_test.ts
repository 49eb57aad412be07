// A day's report out of a database with labels, decisions and costs of several days, on PGlite and on real PostgreSQL.

import assert from "node:assert/strict";
import { readDayReport } from "../../worker/db/day_reports.ts";
import { PostgresLabelStore } from "../../worker/db/label_store.ts";
import { PostgresReviewStore } from "../../worker/db/review_store.ts";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { SpendLedger } from "../../worker/db/spend_ledger.ts";
import { TableCatalog } from "../../worker/db/table_catalog.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { beginRequest, eventAt, finishRequest } from "../support/postgres/requests.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { databaseKinds } from "../support/postgres/test_database.ts";

for (const kind of databaseKinds()) {
  Deno.test(`readDayReport() on ${kind.name} counts a day's labels, what people decided, and what was paid`, async () => {
    await using fresh = await kind.start();
    const database = testDatabase(fresh.url);
    await migrate(database, await readMigrations(), DEFAULT_TICKETS_TABLE);
    await database.run(
      "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, 9) g",
      [],
    );
    const catalog = new TableCatalog(database, DEFAULT_TICKETS_TABLE);
    const [store, reviews] = [new PostgresLabelStore(catalog), new PostgresReviewStore(catalog)];
    for (const [at, category] of ["bug", "bug", "bug", "billing", "bug"].entries()) {
      const request = beginRequest(String(at + 1), eventAt(at));
      await store.begin(request);
      await store.finish(finishRequest(request, category));
    }
    const override = (ticketId: string, category: string) =>
      reviews.override({ ticketId, category, by: "ada", reason: null });
    await override("1", "billing");
    await override("2", "bug");
    // The last one was bought the day before.
    await database.run(
      "update ackpool.labels set labelled_at = '2026-11-26T23:59:59.9Z' where ticket_id = '5'",
      [],
    );
    await database.run(
      "update ackpool.labels set labelled_at = '2026-11-27T00:00:00Z' where ticket_id <> '5'",
      [],
    );
    const nowMs = Date.parse("2026-11-27T05:00:00Z");
    const ledger = new SpendLedger(database, { tokensPerDay: undefined, usdPerDay: undefined }, () => nowMs);
    ledger.add({ model: "m", inputTokens: 400, outputTokens: 30 }, 0.25);
    ledger.add({ model: "free", inputTokens: 1, outputTokens: 2 }, null);
    await ledger.flush();

    assert.deepEqual(await readDayReport(database, "2026-11-27"), {
      day: "2026-11-27",
      categories: [
        { category: "bug", labels: 3, reviewed: 2, overridden: 1, meanConfidence: 0.9 },
        { category: "billing", labels: 1, reviewed: 0, overridden: 0, meanConfidence: 0.9 },
      ],
      models: [
        { model: "m", calls: 1, inputTokens: 400, outputTokens: 30, usd: 0.25, unpricedCalls: 0 },
        { model: "free", calls: 1, inputTokens: 1, outputTokens: 2, usd: 0, unpricedCalls: 1 },
      ],
    });
    const { categories, models } = await readDayReport(database, "2026-11-26");
    assert.deepEqual([categories.map(({ labels }) => labels), models], [[1], []]);
    await store.close();
    await database.close();
  });
}
