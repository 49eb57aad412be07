// Migrations and the tickets table, on PGlite and on real PostgreSQL.

import assert from "node:assert/strict";
import fc from "fast-check";
import { isOlder, OFFSET_SPAN_MS } from "../../worker/core/fence.ts";
import type { TicketEvent } from "../../worker/core/fence.ts";
import { PostgresLabelStore } from "../../worker/db/label_store.ts";
import { migrate, readMigrations } from "../../worker/db/migrate.ts";
import { TableCatalog } from "../../worker/db/table_catalog.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
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
        assert.deepEqual(await own.begin(request), { kind: "claimed", claims: 1 });
        assert.deepEqual(await own.finish(finishRequest(request, "bug")), { kind: "written" });
        const rows = await database.run(`select label, done is not null as done from support.t_${type}`, []);
        assert.deepEqual([...rows], [{ label: "bug", done: true }]);
        await own.close();
      });
    }

    await store.close();
    for (const replica of [database, ...others]) await replica.close();
  });
}
