// What people see of a ticket, on PGlite and on real PostgreSQL.

import assert from "node:assert/strict";
import { PostgresLabelStore } from "../../worker/db/label_store.ts";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { PostgresReviewStore } from "../../worker/db/review_store.ts";
import { TableCatalog } from "../../worker/db/table_catalog.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { beginRequest, eventAt, finishRequest, labelOf } from "../support/postgres/requests.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { databaseKinds } from "../support/postgres/test_database.ts";

const LABELS = ["bug", "billing", "other", "account"];

for (const kind of databaseKinds()) {
  Deno.test(`PostgresReviewStore on ${kind.name}`, async (test) => {
    await using fresh = await kind.start();
    const database = testDatabase(fresh.url);
    await migrate(database, await readMigrations(), DEFAULT_TICKETS_TABLE);
    await database.run(
      "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, 4) g",
      [],
    );
    const catalog = new TableCatalog(database, DEFAULT_TICKETS_TABLE);
    const [store, reviews] = [new PostgresLabelStore(catalog), new PostgresReviewStore(catalog)];
    for (
      const [id, category, confidence] of [["1", "bug", 0.5], ["2", "billing", 0.3], [
        "3",
        "other",
        0.95,
      ]] as const
    ) {
      const request = beginRequest(id, eventAt(1));
      await store.begin(request);
      await store.finish({ ...finishRequest(request, category), label: labelOf(category, { confidence }) });
    }

    await test.step("review() lists what is below the threshold, least certain first", async () => {
      const entries = await reviews.review(0.7, 10, LABELS);
      assert.ok(!("kind" in entries));
      assert.deepEqual(entries.map(({ ticketId, confidence }) => [ticketId, confidence]), [["2", 0.3], [
        "1",
        0.5,
      ]]);
      assert.deepEqual((await reviews.review(0.7, 1, LABELS) as readonly unknown[]).length, 1);
    });

    await test.step("review() leaves out labels that the taxonomy no longer has", async () => {
      const entries = await reviews.review(0.7, 10, ["bug", 'odd "name"']);
      assert.ok(!("kind" in entries));
      assert.deepEqual(entries.map(({ category }) => category), ["bug"]);
    });

    await test.step("undo() takes an override back: the model's label counts again, and its events, too", async () => {
      assert.deepEqual(await reviews.undo("1", "ada"), { kind: "written", undone: false, category: "bug" });
      assert.deepEqual(await reviews.undo("99", "ada"), { kind: "not_found" });
      assert.equal((await reviews.undo("x", "ada")).kind, "failed");
      for (const [ticketId, before] of [["1", "bug"], ["4", null]] as const) {
        await reviews.override({ ticketId, category: "account", by: "ada", reason: null });
        assert.equal((await store.begin(beginRequest(ticketId, eventAt(5)))).kind, "overridden");
        const undone = await reviews.undo(ticketId, "grace");
        assert.deepEqual(undone, { kind: "written", undone: true, category: before });
        const record = await reviews.read(ticketId);
        assert.ok(record.kind === "found");
        assert.deepEqual([record.category, record.overriddenBy], [before, null]);
        assert.equal(record.classifiedAt === null, before === null);
        const newest = record.history[0];
        assert.equal(newest?.decidedBy, before === null ? "ada" : "grace");
        const begun = await store.begin(beginRequest(ticketId, eventAt(5)));
        assert.equal(begun.kind, before === null ? "claimed" : "known");
      }
      await database.run("delete from ackpool.history where source = 'human'", []);
      await database.run("delete from ackpool.labels where category is null", []);
    });

    await test.step("texts() gives what tickets say, and leaves out those that are gone", async () => {
      const texts = await reviews.texts(["2", "99"]);
      assert.ok(!("kind" in texts));
      assert.deepEqual([...texts], [["2", { subject: "s", body: "b" }]]);
    });

    await test.step("override() says what the model had said, and only the first one counts as its review", async () => {
      const by = { ticketId: "1", by: "ada", reason: "Looks like money" };
      assert.deepEqual(await reviews.override({ ...by, category: "billing" }), {
        kind: "written",
        modelCategory: "bug",
        first: true,
      });
      assert.deepEqual(await reviews.override({ ...by, category: "account" }), {
        kind: "written",
        modelCategory: "bug",
        first: false,
      });
      const entries = await reviews.review(0.7, 10, LABELS);
      assert.ok(!("kind" in entries));
      assert.deepEqual(entries.map(({ ticketId }) => ticketId), ["2"]);
      await reviews.override({ ticketId: "3", category: "other", by: "grace", reason: null });
      const reviewed = await reviews.reviewed(10);
      assert.ok(!("kind" in reviewed));
      assert.deepEqual(
        reviewed.overrides.map(({ ticketId, category, modelCategory, by }) => [
          ticketId,
          category,
          modelCategory,
          by,
        ]),
        [["3", "other", "other", "grace"], ["1", "account", "bug", "ada"]],
      );
      assert.deepEqual(reviewed.accuracy, [
        { category: "bug", right: 0, reviewed: 1 },
        { category: "other", right: 1, reviewed: 1 },
      ]);
    });

    await test.step("override() decides before any model has", async () => {
      assert.deepEqual(
        await reviews.override({ ticketId: "4", category: "other", by: "ada", reason: null }),
        {
          kind: "written",
          modelCategory: null,
          first: true,
        },
      );
      assert.equal((await store.begin(beginRequest("4", eventAt(1)))).kind, "overridden");
    });

    await test.step("read() shows the label and its history, newest first", async () => {
      const record = await reviews.read("1");
      assert.ok(record.kind === "found");
      assert.deepEqual([record.category, record.overriddenBy, record.current?.category], [
        "account",
        "ada",
        "account",
      ]);
      assert.deepEqual(
        record.history.map(({ category, source, decidedBy }) => [category, source, decidedBy]),
        [
          ["account", "human", "ada"],
          ["billing", "human", "ada"],
          ["bug", "model", "stub"],
        ],
      );
      assert.match(record.history[0]?.at ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    });

    await test.step("read() and override() find no ticket that is not there", async () => {
      assert.deepEqual(await reviews.read("99"), { kind: "not_found" });
      assert.deepEqual(await reviews.override({ ticketId: "99", category: "bug", by: "ada", reason: null }), {
        kind: "not_found",
      });
    });

    await test.step("a dropped table is a misconfiguration that heals when it is back", async () => {
      await database.run("alter table tickets rename to away", []);
      const failure = await reviews.read("1");
      assert.equal(failure.kind === "failed" && failure.cause, "misconfigured");
      const begun = await store.begin(beginRequest("2", eventAt(2)));
      assert.equal(begun.kind === "failed" && begun.cause, "misconfigured");
      await database.run("alter table away rename to tickets", []);
      assert.equal((await reviews.read("1")).kind, "found");
      assert.equal((await store.begin(beginRequest("2", eventAt(2)))).kind, "known");
    });

    await store.close();
    await database.close();
  });
}
