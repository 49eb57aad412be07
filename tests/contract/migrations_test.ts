// Migrations and the tickets table, on PGlite and on real PostgreSQL.

import assert from "node:assert/strict";
import fc from "fast-check";
import { isOlder, OFFSET_SPAN_MS } from "../../worker/core/fence.ts";
import type { TicketEvent } from "../../worker/core/fence.ts";
import { PostgresLabelStore } from "../../worker/db/label_store.ts";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { PostgresReviewStore } from "../../worker/db/review_store.ts";
import { TableCatalog } from "../../worker/db/table_catalog.ts";
import { DEFAULT_TICKETS_TABLE, type TicketsTable } from "../../worker/db/tickets_table.ts";
import { beginRequest, eventAt, finishRequest } from "../support/postgres/requests.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { databaseKinds } from "../support/postgres/test_database.ts";

/** Columns of an event, as `ackpool.is_older` takes them. */
const columns = ({ position, atMs }: TicketEvent) =>
  [position?.topic ?? null, position?.partition ?? null, position?.offset.toString() ?? null, atMs] as const;

const anEvent: fc.Arbitrary<TicketEvent> = fc.record({
  position: fc.option(
    fc.record({
      topic: fc.constantFrom("a", "b"),
      partition: fc.nat(1),
      offset: fc.nat(5).map(BigInt),
    }),
    { nil: undefined },
  ),
  // Around the span beyond which timestamps overrule offsets.
  atMs: fc.nat({ max: 6 }).map((step) => step * (OFFSET_SPAN_MS / 2) + (step % 2)),
});

for (const kind of databaseKinds()) {
  Deno.test(`migrate() on ${kind.name}`, async (test) => {
    await using fresh = await kind.start();
    const migrations = await readMigrations();
    const replicas = Array.from({ length: 10 }, () => testDatabase(fresh.url, 1));
    const [database, ...others] = replicas;
    assert.ok(database);
    const store = new PostgresLabelStore(new TableCatalog(database, DEFAULT_TICKETS_TABLE));

    await test.step("before it, check() says that a table is missing", async () => {
      const failure = await store.check();
      assert.equal(failure?.cause, "misconfigured");
      assert.match(failure?.detail ?? "", /tickets/);
    });

    await test.step("ten replicas at once apply each file once", async () => {
      const applied = await Promise.all(
        replicas.map((replica) => migrate(replica, migrations, DEFAULT_TICKETS_TABLE)),
      );
      const expected = [...migrations.map(({ name }) => name), "table tickets"];
      assert.deepEqual(applied.filter((names) => names.length > 0), [expected]);
    });

    await test.step("after it, the store that failed works without a restart", async () => {
      assert.equal(await store.check(), undefined);
    });

    await test.step("ackpool.is_older() and isOlder() agree on every pair of events", async () => {
      await fc.assert(
        fc.asyncProperty(anEvent, anEvent, async (event, than) => {
          const [row] = await database.run<{ older: boolean }>(
            "select ackpool.is_older($1, $2::int, $3::bigint, $4::bigint, $5, $6::int, $7::bigint, $8::bigint) as older",
            [...columns(event), ...columns(than)],
          );
          assert.equal(row?.older, isOlder(event, than));
        }),
        { numRuns: 200 },
      );
    });

    for (
      const [type, id] of [["text", "T-17"], ["uuid", "3F2504E0-4F89-41D3-9A0C-0305E82C3301"], [
        "integer",
        "007",
      ]] as const
    ) {
      await test.step(`a user's own table with ids of type ${type} is used as it is`, async () => {
        const table = {
          name: `support.t_${type}`,
          idColumn: "No",
          categoryColumn: "label",
          classifiedAtColumn: "done",
        };
        await database.run("create schema if not exists support", []);
        await database.run(
          `create table support.t_${type} ("No" ${type} primary key, label text, done timestamptz)`,
          [],
        );
        await database.run(`insert into support.t_${type} ("No") values ('${id}')`, []);
        assert.deepEqual(await migrate(database, migrations, table), []);
        const own = new PostgresLabelStore(new TableCatalog(database, table));
        const request = beginRequest(id, eventAt(1), type);
        assert.deepEqual(await own.begin(request), { kind: "claimed", claims: 1, failedCalls: 0 });
        assert.deepEqual(await own.finish(finishRequest(request, "bug")), { kind: "written" });
        const rows = await database.run(`select label, done is not null as done from support.t_${type}`, []);
        assert.deepEqual([...rows], [{ label: "bug", done: true }]);
        await own.close();
      });
    }

    await test.step("a table of another name is created beside tickets, in its schema", async () => {
      const cases = { ...DEFAULT_TICKETS_TABLE, name: "desk.Cases", idColumn: "No" };
      assert.deepEqual(await migrate(database, migrations, cases, "text"), ["table desk.Cases"]);
      const [row] = await database.run(
        "select format_type(atttypid, null) as type from pg_attribute where attrelid = 'desk.\"Cases\"'::regclass and attname = 'No'",
        [],
      );
      assert.deepEqual(row, { type: "text" });
      assert.deepEqual(await migrate(database, migrations, { ...DEFAULT_TICKETS_TABLE, name: "tickets2" }), [
        "table tickets2",
      ]);
    });

    const REFUSED: Readonly<Record<string, readonly [Partial<TicketsTable>, RegExp]>> = {
      "a slip of the name": [{ name: "tikets" }, /table tikets is not there, but tickets is/],
      "another case": [{ name: "Tickets" }, /but tickets is/],
      "a slip of the schema": [{ name: "suport.t_text" }, /but support.t_text is/],
      "a column that is not there": [
        { categoryColumn: "categroy" },
        /no column categroy: its columns are id, subject/,
      ],
      "a table of Ackpool's own": [{ name: "ackpool.labels" }, /Ackpool's own/],
      "a table of the database's": [{ name: "pg_class" }, /one of the database's own/],
      "a view that cannot be updated": [{ name: "counted" }, /counted is a view that cannot be updated/],
    };
    await database.run(
      "create view counted as select id, max(category) as category, now() as classified_at from tickets group by id",
      [],
    );
    for (const [what, [names, expected]] of Object.entries(REFUSED)) {
      await test.step(`${what} is refused`, async () => {
        await assert.rejects(migrate(database, migrations, { ...DEFAULT_TICKETS_TABLE, ...names }), expected);
      });
    }

    await test.step("whole-number ids become text where that is asked for", async () => {
      await database.run("insert into tickets2 (id, subject, body) values (17, 's', 'b')", []);
      const table = { ...DEFAULT_TICKETS_TABLE, name: "tickets2" };
      assert.deepEqual(await migrate(database, migrations, table, "text"), ["text ids in table tickets2"]);
      assert.deepEqual(await migrate(database, migrations, table, "text"), []);
      assert.deepEqual([...await database.run("select id from tickets2", [])], [{ id: "17" }]);
    });

    const VIEWS: Readonly<Record<string, string>> = {
      "that Postgres writes through": "",
      "with a trigger of its own": `
        create function put() returns trigger language plpgsql as $$ begin
          update kept set label = new.category, done = new.classified_at where no = new.id; return new; end $$;
        create trigger put instead of update on seen for each row execute function put()`,
    };
    for (const [kind, trigger] of Object.entries(VIEWS)) {
      await test.step(`a view ${kind} and a label of an enum's type are written`, async () => {
        const distinct = trigger === "" ? "" : "distinct";
        await database.transaction(async (sql) => {
          await sql.unsafe(`drop view if exists seen; drop table if exists kept; drop type if exists kind;
            create type kind as enum ('bug', 'billing');
            create table kept (no text primary key, label kind, done timestamp);
            insert into kept values ('HD-1', null, null);
            create view seen as select ${distinct} no as id, label as category, done as classified_at from kept;
            ${trigger}`).simple();
        });
        const catalog = new TableCatalog(database, { ...DEFAULT_TICKETS_TABLE, name: "seen" });
        const own = new PostgresLabelStore(catalog);
        const request = beginRequest("HD-1", eventAt(1), kind);
        assert.equal(await own.check(), undefined);
        assert.deepEqual(await own.begin(request), { kind: "claimed", claims: 1, failedCalls: 0 });
        assert.deepEqual(await own.finish(finishRequest(request, "bug")), { kind: "written" });
        assert.deepEqual([...await database.run("select label, done is not null as done from kept", [])], [
          { label: "bug", done: true },
        ]);
        const override = await new PostgresReviewStore(catalog).override({
          ticketId: "HD-1",
          category: "billing",
          by: "ada",
          reason: null,
        });
        assert.equal(override.kind, "written");
        const read = await new PostgresReviewStore(catalog).read("HD-1");
        assert.equal(read.kind === "found" && read.category, "billing");
        await own.close();
        await database.run("delete from ackpool.fences where ticket_id = 'HD-1'", []);
      });
    }

    await store.close();
    for (const replica of [database, ...others]) await replica.close();
  });
}
