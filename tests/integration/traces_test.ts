// Traces over OTLP, as a collector gets them: one from a record through its attempt and the worker to LLM and SQL, and no text in it.

import assert from "node:assert/strict";
import { RequestHeader } from "../../shared/contract/protocol.ts";
import { writeRecordLine } from "../../shared/contract/batch_lines.ts";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { OtlpCollector, type Span } from "../support/otlp_collector.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";
import { startConsumer } from "../support/processes/consumer_process.ts";
import { startWorker } from "../support/processes/worker_process.ts";
import { startStubLlm } from "../support/workers/stub_llm.ts";

const TICKETS = 8;
const TEXT = "heliotrope";
const PASSWORD = "hunter2-of-the-gateway";
const traceId = (at: number) => String(at).padStart(32, "a");
const traceparent = (at: number) => `00-${traceId(at)}-b7ad6b7169203331-01`;
const ticket = (at: number) =>
  JSON.stringify({ ticket_id: at, subject: TEXT, body: `${TEXT} invoice ${at}` });

async function scene() {
  const stack = new AsyncDisposableStack();
  const collector = stack.use(new OtlpCollector());
  const database = stack.use(await bestDatabase());
  const admin = testDatabase(database.url, 1);
  stack.defer(() => admin.close());
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run(
    "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, 8) g",
    [],
  );
  const llm = startStubLlm();
  stack.defer(llm.stop);
  const worker = stack.use(
    await startWorker({
      ...collector.environment("worker"),
      DATABASE_URL: database.url,
      OPENAI_BASE_URL: llm.baseUrl.replace("//", `//user:${PASSWORD}@`),
      OPENAI_MODEL: "stub",
    }),
  );
  return { collector, worker, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A span's name and those of its parents, from the outermost. */
function pathOf(span: Span, spans: readonly Span[]): string {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent === undefined ? span.name : `${pathOf(parent, spans)} > ${span.name}`;
}

Deno.test("a record's trace goes on through attempt, worker, LLM and SQL, and says nothing of its text", async () => {
  await using kafka = await TestKafka.start();
  await using stage = await scene();
  const { collector, worker } = stage;
  const topic = "traced-tickets";
  await kafka.make(topic, `${topic}.traces.dlq`, `${topic}.traces.retry`);
  await using consumer = startConsumer({
    ...collector.environment("consumer"),
    KAFKA_BROKERS: kafka.brokers,
    KAFKA_TOPIC: topic,
    KAFKA_GROUP_ID: "traces",
    WORKER_URL: worker.url,
  });
  // One after the other: together they would share statements.
  await kafka.produce(topic, [{ key: TEXT, value: ticket(1), headers: { traceparent: traceparent(1) } }]);
  await kafka.untilCommitted(topic, "traces");
  await kafka.produce(topic, [{ key: TEXT, value: ticket(2) }]);
  await kafka.untilCommitted(topic, "traces");
  const spans = await collector.untilSpans(
    "both records' statements",
    (spans) =>
      spans.filter(({ name }) => name === "apply").length >= 2 &&
      spans.filter(({ name }) => name === `process ${topic}`).length >= 2,
  );
  assert.equal(await consumer.stop(), 0);

  const attempts = spans.filter(({ name }) => name === `process ${topic}`);
  assert.equal(new Set(attempts.map((span) => span.traceId)).size, 2, "a trace for each record");
  const own = spans.filter((span) => span.traceId === traceId(1));
  assert.deepEqual(
    attempts.filter((span) => span.traceId === traceId(1)).map((
      { parentSpanId, kind },
    ) => [parentSpanId, kind]),
    [["b7ad6b7169203331", "CONSUMER"]],
  );
  for (const attempt of attempts) {
    const paths = spans.filter((span) => span.traceId === attempt.traceId).map((span) => pathOf(span, spans));
    for (const last of ["begin", "chat stub", "store", "apply"]) {
      assert.ok(
        paths.includes(`process ${topic} > POST /classify > ${last}`),
        `${last} in ${paths.join("\n")}`,
      );
    }
  }
  const said = (name: string) => own.find((span) => span.name === name)?.attributes ?? {};
  assert.deepEqual(
    { ...said(`process ${topic}`), "messaging.destination.partition.id": "0", "messaging.kafka.offset": 0 },
    {
      "messaging.system": "kafka",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.destination.name": topic,
      "messaging.destination.partition.id": "0",
      "messaging.kafka.offset": 0,
      "http.response.status_code": 200,
    },
  );
  assert.equal(said("POST /classify")["http.route"], "/classify");
  const { "gen_ai.usage.input_tokens": tokens, "server.port": _port, ...chat } = said("chat stub");
  assert.ok(Number(tokens) > 0);
  assert.equal(chat["gen_ai.operation.name"], "chat");
  assert.equal(chat["gen_ai.request.model"], "stub");
  assert.equal(said("begin")["db.system.name"], "postgresql");
  assertSilent(collector);
});

Deno.test("records that share a request or a statement keep their traces, and links say who shares", async () => {
  await using stage = await scene();
  const { collector, worker } = stage;
  const ats = Array.from({ length: TICKETS }, (_, at) => at + 1);
  const lines = ats.map((at) =>
    writeRecordLine({
      headers: {
        [RequestHeader.idempotencyKey]: `"t/0/${at}"`,
        [RequestHeader.traceparent]: traceparent(at),
        "content-type": "application/json",
      },
      body: new TextEncoder().encode(ticket(at)),
    })
  );
  const response = await fetch(`${worker.url}/classify/batch`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.join(""),
  });
  assert.equal((await response.text()).match(/"status":200/g)?.length, TICKETS);
  const spans = await collector.untilSpans(
    "every record's statement",
    (spans) =>
      served(spans, "apply").length >= TICKETS && spans.some(({ name }) => name === "POST /classify/batch"),
  );

  const request = spans.find(({ name }) => name === "POST /classify/batch");
  const answers = spans.filter(({ name }) => name === "POST /classify");
  assert.deepEqual(answers.map((span) => span.traceId).sort(), ats.map(traceId).sort());
  for (const answer of answers) {
    assert.equal(answer.parentSpanId, "b7ad6b7169203331");
    assert.deepEqual(answer.links.map(({ spanId }) => spanId), [request?.spanId]);
  }
  for (const name of ["begin", "store", "apply"]) {
    assert.deepEqual(served(spans, name).sort(), answers.map(({ spanId }) => spanId).sort(), name);
  }
  const shared = spans.filter(({ links, name }) => name === "begin" && links.length > 0);
  assert.ok(shared.length > 0, "no statement was shared");
  for (const { attributes, links } of shared) {
    assert.equal(attributes["db.operation.batch.size"], links.length + 1);
  }
  assertSilent(collector);
});

/** Whom the statements of this name are for: parents, and those that are linked to. */
function served(spans: readonly Span[], name: string): string[] {
  return spans.filter((span) => span.name === name)
    .flatMap(({ parentSpanId, links }) => [parentSpanId, ...links.map(({ spanId }) => spanId)]);
}

function assertSilent({ received }: OtlpCollector): void {
  assert.ok(received.length > 0);
  for (const secret of [TEXT, PASSWORD]) assert.ok(!received.join("").includes(secret), secret);
}
