// Other people's transactions on a real PostgreSQL: locked rows and tables, triggers that refuse, serializable databases.

import assert from "node:assert/strict";
import postgres from "postgres";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { deliverTickets, TICKETS } from "../support/postgres/delivered_tickets.ts";
import { RealPostgres } from "../support/postgres/real_postgres.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { startWorker } from "../support/processes/worker_process.ts";
import { startStubLlm } from "../support/workers/stub_llm.ts";

/** What a delivery came to: status, and outcome or problem. */
async function answerOf(response: Response): Promise<readonly [number, string]> {
  const { outcome, type } = await response.json();
  return [response.status, outcome ?? type];
}

Deno.test("what keeps a ticket's row from being written costs no second call", async (test) => {
  await using server = await RealPostgres.start();
  const admin = testDatabase(server.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run(
    "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, 9) g",
    [],
  );
  const llm = startStubLlm();
  const env = { DATABASE_URL: server.url, OPENAI_BASE_URL: llm.baseUrl, DATABASE_TIMEOUT_MS: "1000" };
  await using worker = await startWorker(env);
  const classify = async (id: number) =>
    await answerOf(await worker.classify({ ticket_id: id, subject: "s", body: "b" }, id));
  const other = postgres(server.url, { max: 1, onnotice: () => {} });
  const session = await other.reserve();

  await test.step("a locked row: 409 until it is free, and others are not held up", async () => {
    await session.unsafe("begin; select from tickets where id = 1 for update");
    const [locked, free] = await Promise.all([classify(1), classify(2)]);
    assert.deepEqual([locked, free], [[409, "/problems/ticket-held"], [200, "classified"]]);
    assert.deepEqual([await classify(1), llm.calls()], [[409, "/problems/ticket-held"], 2]);
    const [label] = await admin.run(
      "select category is not null as stored from ackpool.labels where ticket_id = '1'",
      [],
    );
    assert.deepEqual(label, { stored: true });
    await session.unsafe("commit");
    assert.deepEqual([await classify(1), llm.calls()], [[200, "known"], 2]);
  });

  await test.step("a locked table: 503 before anything is paid", async () => {
    await session.unsafe("begin; lock table tickets in access exclusive mode");
    assert.deepEqual([await classify(3), llm.calls()], [[503, "/problems/database-unreachable"], 2]);
    await session.unsafe("commit");
    assert.deepEqual([await classify(3), llm.calls()], [[200, "classified"], 3]);
  });

  await test.step("a trigger that refuses or takes too long: the label is there when it no longer does", async () => {
    await session.unsafe(`
      create function odd() returns trigger language plpgsql as $$ begin
        if new.id = 4 then raise exception 'not today'; end if;
        if new.id = 5 then perform pg_sleep(60); end if;
        return new;
      end $$;
      create trigger odd before update on tickets for each row execute function odd()`);
    assert.deepEqual(await classify(4), [500, "/problems/internal-error"]);
    assert.deepEqual(await classify(5), [503, "/problems/database-unreachable"]);
    await session.unsafe("drop trigger odd on tickets");
    assert.deepEqual([await classify(4), await classify(5), llm.calls()], [
      [200, "known"],
      [200, "known"],
      5,
    ]);
  });

  session.release();
  await other.end();
  await admin.close();
  await llm.stop();
});

Deno.test("a serializable database with duplicates at once: no second call, no 500", async () => {
  await using server = await RealPostgres.start({
    settings: { default_transaction_isolation: "serializable" },
  });
  const { statuses, ...rest } = await deliverTickets({ url: server.url, tickets: TICKETS, copies: 3 });
  assert.deepEqual(rest, { secondCalls: 0, calledTickets: TICKETS, labelled: TICKETS });
  assert.equal(statuses[200], 3 * TICKETS);
  assert.deepEqual(Object.keys(statuses).filter((status) => !["200", "409"].includes(status)), []);
});
