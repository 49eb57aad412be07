// LLM_BATCH from end to end: a worker process that asks the local model about many tickets with one prompt.

import assert from "node:assert/strict";
import { createModelApp } from "../../local/model/app.ts";
import { batchingEmbedder } from "../../local/model/embedding/batching_embedder.ts";
import { openEmbedder } from "../../local/model/embedding/embedder.ts";
import { isHeldOut, parseLabelledTickets, TICKETS_URL } from "../../local/model/tickets.ts";
import { trainModel } from "../../local/model/training/train_model.ts";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";
import { startWorker } from "../support/processes/worker_process.ts";

const TICKETS = 60;
const BATCH = 20;

interface Answer {
  readonly category: string;
  readonly confidence: number;
  readonly outcome: string;
}

async function startModel() {
  const model = await trainModel({
    embedder: batchingEmbedder(await openEmbedder()),
    cacheFolder: new URL("../../.ackpool/model/", import.meta.url),
    onProgress: () => {},
  });
  const app = createModelApp({ model, now: Date.now, newId: () => crypto.randomUUID() });
  const asked = { tickets: [] as number[] };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    if (request.method === "POST") {
      asked.tickets.push((await request.clone().text()).split('{\\"id\\":').length - 1);
    }
    return app.fetch(request);
  });
  return { url: `http://127.0.0.1:${server.addr.port}/v1`, asked, shutdown: () => server.shutdown() };
}

Deno.test("LLM_BATCH asks the local model once for many tickets and gives each the label it has alone", async () => {
  const model = await startModel();
  await using database = await bestDatabase();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  const all = "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(0, $1::int) g";
  await admin.run(all, [TICKETS - 1]);
  const tickets = parseLabelledTickets(await Deno.readTextFile(TICKETS_URL)).filter(({ id }) => isHeldOut(id))
    .slice(0, TICKETS);
  const labels = async (batch: number): Promise<readonly Answer[]> => {
    await using worker = await startWorker({
      DATABASE_URL: database.url,
      OPENAI_BASE_URL: model.url,
      WORKER_CONCURRENCY: String(TICKETS),
      LLM_BATCH: String(batch),
    });
    return await Promise.all(tickets.map(async ({ subject, body }, at) => {
      const response = await worker.classify({ ticket_id: at, subject, body }, batch * TICKETS + at);
      return await response.json();
    }));
  };

  const alone = await labels(1);
  assert.deepEqual(model.asked.tickets.splice(0), Array.from({ length: TICKETS }, () => 0));
  const together = await labels(BATCH);
  const shared = model.asked.tickets.filter((count) => count > 0);
  // Each prompt has two decoys, and a ticket or two look hostile to our list.
  const inShared = shared.reduce((sum, count) => sum + count - 2, 0);
  assert.ok(inShared >= TICKETS - 2 && inShared <= TICKETS, `${inShared}`);
  assert.ok(model.asked.tickets.length < TICKETS / 2, `${model.asked.tickets}`);
  assert.ok(together.every(({ outcome }) => outcome === "classified"));
  assert.deepEqual(together.map(({ category }) => category), alone.map(({ category }) => category));
  for (const [at, { confidence }] of together.entries()) {
    assert.ok(Math.abs(confidence - (alone[at]?.confidence ?? NaN)) < 1e-6, `ticket ${at}: ${confidence}`);
  }
  const [row] = await admin.run<{ written: string }>(
    "select count(category)::text as written from tickets",
    [],
  );
  assert.equal(row?.written, String(TICKETS));
  await admin.close();
  await model.shutdown();
});
