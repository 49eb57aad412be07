// Workers on a real PostgreSQL that own nothing of it: what `migrate --grant` gives is enough, and all there is.

import assert from "node:assert/strict";
import postgres from "postgres";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { OWN_RIGHTS } from "../../worker/db/schema/worker_rights.ts";
import { RealPostgres } from "../support/postgres/real_postgres.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { startWorker } from "../support/processes/worker_process.ts";
import { startStubLlm } from "../support/workers/stub_llm.ts";

const ROLE = { name: "Ack pool's worker", password: "it's \\ secret" };
const TICKET = { subject: "s", body: "I was charged twice" };
const OWN_TABLES = Object.keys(OWN_RIGHTS);

Deno.test("a worker whose role has what migrate --grant gives labels, reviews and counts, and can do nothing else", async (test) => {
  await using server = await RealPostgres.start();
  const owner = testDatabase(server.url, 1);
  const migrations = await readMigrations();
  const table = { ...DEFAULT_TICKETS_TABLE, name: 'desk."Cases"', idColumn: "No" };
  await owner.run("create schema desk", []);
  await owner.run(
    'create table desk."Cases" ("No" bigint primary key, subject text, body text, secret text, category text, classified_at timestamptz)',
    [],
  );
  await owner.run(
    'insert into desk."Cases" ("No", body) select g, \'Was I charged twice?\' from generate_series(1, 9) g',
    [],
  );
  const url = new URL(server.url);
  url.username = encodeURIComponent(ROLE.name);
  url.password = encodeURIComponent(ROLE.password);
  const bare = testDatabase(url.href, 1);

  await test.step("the role is made and gets its rights once", async () => {
    const withoutPassword = { ...ROLE, password: undefined };
    await assert.rejects(
      migrate(owner, migrations, table, "bigint", withoutPassword),
      /role .* is not there/,
    );
    const applied = await migrate(owner, migrations, table, "bigint", ROLE);
    assert.deepEqual(applied.slice(-2, -1), [`role ${ROLE.name}`]);
    assert.match(applied.at(-1) ?? "", /^\d+ rights of /);
    assert.deepEqual(await migrate(owner, migrations, table, "bigint", withoutPassword), []);
  });

  await test.step("a migrate that has nothing to do needs no more than it, and grants nothing it may not", async () => {
    assert.deepEqual(await migrate(bare, migrations, table), []);
    assert.deepEqual(await migrate(bare, migrations, table, "bigint", ROLE), []);
  });

  await test.step("a worker works", async () => {
    const llm = startStubLlm({
      script: (asked) =>
        asked.messages.at(-1)?.content.includes("refuse")
          ? Response.json({
            choices: [{ message: { content: "No." } }],
            usage: { prompt_tokens: 9, completion_tokens: 9 },
          })
          : undefined,
    });
    await using worker = await startWorker({
      DATABASE_URL: url.href,
      OPENAI_BASE_URL: llm.baseUrl,
      TICKETS_TABLE: 'desk."Cases"',
      TICKETS_COLUMNS: "No,category,classified_at",
      TOKENS_PER_DAY: "1000000",
      REVIEW_BELOW: "1",
    });
    const get = async (path: string) => await (await fetch(`${worker.url}${path}`)).json();
    assert.equal((await get("/readyz")).status, "ready");
    const outcomes = [];
    for (const offset of [1, 1]) {
      outcomes.push((await (await worker.classify({ ...TICKET, ticket_id: 1 }, offset)).json()).outcome);
    }
    assert.deepEqual(outcomes, ["classified", "known"]);
    assert.equal((await worker.classify({ subject: "s", body: "refuse", ticket_id: 2 }, 2)).status, 502);
    assert.equal((await worker.classify({ subject: "s", body: "refuse", ticket_id: 2 }, 2)).status, 502);
    assert.equal((await worker.classify({ subject: "s", body: "refuse", ticket_id: 2 }, 2)).status, 422);
    assert.equal((await get("/review")).tickets.length, 1);
    // The page shows the ticket's text, which is read column by column.
    const page = await fetch(`${worker.url}/review`, { headers: { accept: "text/html" } });
    assert.ok((await page.text()).includes("Was I charged twice?"));
    const overridden = await fetch(`${worker.url}/tickets/1/label`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ category: "bug", by: "ada" }),
    });
    assert.equal(overridden.status, 200);
    await overridden.body?.cancel();
    assert.equal((await get("/tickets/1")).overridden_by, "ada");
    await llm.stop();
  });

  await test.step("the role may do nothing else", async () => {
    const sql = postgres(url.href, { max: 1, onnotice: () => {} });
    for (
      const statement of [
        'drop table desk."Cases"',
        'delete from desk."Cases"',
        'insert into desk."Cases" ("No") values (10)',
        `update desk."Cases" set subject = 'x'`,
        'update desk."Cases" set "No" = 20',
        'select secret from desk."Cases"',
        "create table desk.another (id int)",
        "create table ackpool.another (id int)",
        "delete from ackpool.history",
        "update ackpool.history set category = 'x'",
        "delete from ackpool.fences",
        "delete from ackpool.spend",
        "insert into ackpool.migrations (version, name) values (99, 'x')",
        "create role another",
        `grant select on ackpool.labels to public`,
      ]
    ) {
      const error = await sql.unsafe(statement).then(() => undefined, (error) => error);
      // A grant of what one may not grant is a warning and no error.
      if (statement.startsWith("grant")) continue;
      assert.equal(error?.code, "42501", statement);
    }
    const [row] = await sql`select has_table_privilege('pg_monitor', 'ackpool.labels', 'select') as granted`;
    assert.equal(row?.["granted"], false);
    await sql.end();
  });

  await test.step("a role without rights is told so, and its worker is not ready", async () => {
    await owner.run("create role nobody login", []);
    url.username = "nobody";
    const llm = startStubLlm();
    await using worker = await startWorker({
      DATABASE_URL: url.href,
      OPENAI_BASE_URL: llm.baseUrl,
      TICKETS_TABLE: 'desk."Cases"',
      TICKETS_COLUMNS: "No,category,classified_at",
    });
    const { causes } = await (await fetch(`${worker.url}/readyz`)).json();
    assert.deepEqual([causes[0]?.name, /permission denied/.test(causes[0]?.detail)], [
      "database-misconfigured",
      true,
    ]);
    const refused = testDatabase(url.href, 1);
    await assert.rejects(migrate(refused, migrations, table), /permission denied/);
    await refused.close();
    await llm.stop();
  });

  await test.step("the tables whose rights are listed are those that migrations make", async () => {
    const rows = await owner.run<{ name: string }>(
      "select relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname = 'ackpool' and relkind = 'r' order by 1",
      [],
    );
    assert.deepEqual(rows.map(({ name }) => name), OWN_TABLES.toSorted());
  });

  await bare.close();
  await owner.close();
});
