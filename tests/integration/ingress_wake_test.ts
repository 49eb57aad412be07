// A pool at zero: a call waits, GET /scale asks for a replica, and once one starts the call is answered.

import assert from "node:assert/strict";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { startTask } from "../chaos/stage/tasks.ts";
import { freePorts } from "../support/ports.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { startStubLlm } from "../support/workers/stub_llm.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";
import { until } from "../support/until.ts";
import { startWorker } from "../support/processes/worker_process.ts";

Deno.test("a call that comes when no worker runs waits for the first one, which /scale asks for", async () => {
  await using database = await bestDatabase();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  const llm = startStubLlm();
  const [port = 0, workerPort = 0] = freePorts(2);
  await using ingress = startTask("ingress", "ingress", {
    PORT: String(port),
    WORKER_URL: `http://127.0.0.1:${workerPort}`,
    WORKER_TOKEN: "s3cret",
    INGRESS_WAKE_MS: "120000",
  });
  await ingress.waitForLine(({ fields }) => fields["message"] === "listening");
  const scale = async () => await (await fetch(`http://127.0.0.1:${port}/scale`)).json();
  const call = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${port}/classify`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ subject: "Invoice", body: "I was charged twice" }),
    });

  const stranger = await call({});
  await stranger.body?.cancel();
  assert.equal(stranger.status, 401);
  assert.equal((await scale()).wantedReplicas, 0, "a stranger wakes nobody");

  const waiting = call({ authorization: "Bearer s3cret" });
  await until("it to ask for a replica", async () => {
    const { waiting, wantedReplicas } = await scale();
    return waiting === 1 && wantedReplicas === 1;
  });
  await using _worker = await startWorker({
    PORT: String(workerPort),
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: llm.baseUrl,
    WORKER_TOKEN: "old, s3cret",
  });
  const answer = await waiting;
  assert.deepEqual([answer.status, (await answer.json()).category], [200, "billing"]);
  const { waiting: left, wantedReplicas, replicas } = await scale();
  assert.deepEqual([left, wantedReplicas, replicas], [0, 1, 1]);
  await admin.close();
  await llm.stop();
});
