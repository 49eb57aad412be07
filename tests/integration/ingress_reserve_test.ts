// People never wait behind the backlog: a consumer, workers and an ingress as processes, every permit taken by records.

import assert from "node:assert/strict";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { startTask } from "../chaos/stage/tasks.ts";
import { startConsumer } from "../support/processes/consumer_process.ts";
import { freePort } from "../support/ports.ts";
import { Gate } from "../support/workers/stub_worker.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { completion, startStubLlm } from "../support/workers/stub_llm.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";
import { startWorker } from "../support/processes/worker_process.ts";

const RECORDS = 24;
const REPLICAS = 2;
const CONCURRENCY = 3;
const CALLS = 9;
/** What the LLM takes for a person's ticket. */
const LLM_MS = 100;

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

Deno.test("ad-hoc calls are answered while records have every permit of every replica, as fast as by an idle pool", async () => {
  await using database = await bestDatabase();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run(
    "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, $1::int) g",
    [RECORDS],
  );
  // Records are held as long as the test likes; a person's ticket takes as long as ever.
  const gate = new Gate();
  let held = 0;
  const llm = startStubLlm({
    script: async (request) => {
      const record = request.messages.some(({ content }) => content.includes("of the backlog"));
      if (record) {
        held += 1;
        await gate.opened;
      } else await new Promise((resolve) => setTimeout(resolve, LLM_MS));
      return completion(request);
    },
  });
  await using kafka = await TestKafka.start();
  const topic = `t-${crypto.randomUUID().slice(0, 8)}`;
  await kafka.make(topic, `${topic}.g.dlq`, `${topic}.g.retry`);
  const env = {
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: llm.baseUrl,
    WORKER_CONCURRENCY: String(CONCURRENCY),
  };
  await using one = await startWorker(env);
  await using two = await startWorker(env);
  const pool = { WORKER_URL: `${one.url},${two.url}`, WORKER_CONCURRENCY: String(CONCURRENCY) };
  const port = freePort();
  await using ingress = startTask("ingress", "ingress", { ...pool, PORT: String(port) });
  await ingress.waitForLine(({ fields }) => fields["message"] === "listening");

  const call = async (): Promise<number> => {
    const startMs = performance.now();
    const response = await fetch(`http://127.0.0.1:${port}/classify`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ subject: "Invoice", body: `I was charged twice ${crypto.randomUUID()}` }),
    });
    assert.deepEqual([response.status, (await response.json()).category], [200, "billing"]);
    return performance.now() - startMs;
  };
  const calls = async () => {
    const took: number[] = [];
    for (let at = 0; at < CALLS; at++) took.push(await call());
    return median(took);
  };

  await calls();
  const idleMs = await calls();
  const record = (id: number) => JSON.stringify({ ticket_id: id, subject: `${id}`, body: "of the backlog" });
  await kafka.produce(topic, Array.from({ length: RECORDS }, (_, at) => ({ value: record(at + 1) })));
  await using consumer = startConsumer({
    ...pool,
    KAFKA_BROKERS: kafka.brokers,
    KAFKA_TOPIC: topic,
    KAFKA_GROUP_ID: "g",
  });
  await until("records in every permit", () => held === REPLICAS * CONCURRENCY, { timeoutMs: 60_000 });
  const busyMs = await calls();
  assert.equal(held, REPLICAS * CONCURRENCY, "every permit was a record's all the time");
  assert.ok(busyMs < idleMs * 5, `${busyMs} ms with a backlog, ${idleMs} ms without one`);
  const lines = ingress.lines.filter(({ fields }) => fields["message"] === "call").slice(-CALLS);
  assert.deepEqual(lines.map(({ fields }) => fields["tries"]), Array(CALLS).fill(1));

  gate.open();
  await kafka.untilCommitted(topic, "g", 60_000);
  assert.equal(llm.calls(), RECORDS + 3 * CALLS);
  assert.equal(await consumer.stop(), 0);
  await admin.close();
  await llm.stop();
});
