// `deno task doctor` as a process: whole, broken and half-configured environments. On real Kafka and PostgreSQL too.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { deadLetterTopicOf } from "../../consumer/records/topic_names.ts";
import type { Finding } from "../../local/doctor/finding.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";
import { runCommand } from "../support/processes/dlq_command.ts";
import { FAMILIES } from "../support/workers/provider_families.ts";
import { startScriptedProvider } from "../support/workers/scripted_provider.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";

const SECRET = "sk-never-shown-1234567890";

Deno.test("doctor finds nothing wrong where nothing is, and names what is", async (t) => {
  await using kafka = await TestKafka.start();
  await using database = await bestDatabase();
  const family = FAMILIES.find(({ name }) => name === "OpenAI 5");
  assert.ok(family !== undefined);
  await using provider = startScriptedProvider(family);
  await using worker = new StubWorker();
  const topic = `doctor-${crypto.randomUUID()}`;
  const scene = { kafka, topic, groupId: `${topic}-group` };
  const env = {
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: SECRET,
    OPENAI_MODEL: family.model,
    WORKER_URL: worker.url,
  };
  const look = async (more: Readonly<Record<string, string>> = {}, args: readonly string[] = []) => {
    const { code, text } = await runCommand("doctor", scene, ["--json", ...args], { ...env, ...more });
    assert.ok(!text.includes(SECRET), text);
    const { ok, findings }: { ok: boolean; findings: Finding[] } = JSON.parse(text);
    assert.equal(ok, code === 0);
    return { code, findings, of: (about: string) => findings.filter((each) => each.about === about) };
  };

  await t.step("before topic and tables are made", async () => {
    const { code, of } = await look({}, ["--no-model"]);
    assert.equal(code, 1);
    assert.deepEqual(of("schema").map(({ state, remedy }) => [state, remedy]), [[
      "fail",
      "Run deno task migrate",
    ]]);
    assert.deepEqual(of("topic").map(({ state }) => state), ["warn"]);
    assert.equal(provider.requests.length, 0);
  });

  await t.step("after that", async () => {
    await kafka.make(topic);
    assert.equal((await runCommand("migrate", scene, [], { DATABASE_URL: database.url })).code, 0);
    const { code, findings, of } = await look();
    assert.deepEqual(findings.filter(({ state }) => state !== "ok"), []);
    assert.equal(code, 0);
    assert.match(of("model")[0]?.detail ?? "", /takes limit, schema.*; temperature: asks nothing/);
    for (const about of ["broker", "side topic", "group", "rights", "clock", "table", "workers", "memory"]) {
      assert.notEqual(of(about).length, 0, about);
    }
  });

  await t.step("what a worker says of itself", async () => {
    const cause = { name: "provider-refused", detail: "401 from the provider", remedy: "Check the key" };
    worker.ready = () => Response.json({ status: "not_ready", causes: [cause] }, { status: 503 });
    const { code, of } = await look({}, ["--no-model"]);
    assert.equal(code, 1);
    const [said] = of("workers");
    assert.match(said?.detail ?? "", /provider-refused: 401 from the provider$/);
    assert.equal(said?.remedy, "Check the key");
    worker.ready = () => 200;
  });

  await t.step("a table that is another, a model that is none, a broker that is away", async () => {
    await using wrong = startScriptedProvider({
      script: () =>
        Response.json({ error: { code: "model_not_found", message: "no such model" } }, { status: 404 }),
    });
    const { code, of } = await look({
      OPENAI_BASE_URL: wrong.baseUrl,
      TICKETS_TABLE: "no_such_table",
      KAFKA_BROKERS: "127.0.0.1:9",
    });
    assert.equal(code, 1);
    for (const about of ["broker", "table", "model"]) {
      assert.deepEqual(of(about).map(({ state }) => state), ["fail"], about);
    }
  });

  if (!kafka.real) return;
  await t.step("a dead-letter topic that takes less than its source", async () => {
    const side = deadLetterTopicOf(topic, scene.groupId, undefined);
    const admin = new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const configEntries = [{ name: "max.message.bytes", value: "1000" }];
    await admin.createTopics({ topics: [{ topic: side, numPartitions: 1, configEntries }] });
    await admin.disconnect();
    const { code, of } = await look({}, ["--no-model"]);
    const [weak] = of("side topic").filter(({ state }) => state === "warn");
    assert.match(weak?.detail ?? "", /max\.message\.bytes=1000/);
    assert.equal(code, 0);
  });
});

Deno.test("doctor works with nothing set", async () => {
  const { code, text } = await runCommand(
    "doctor",
    { kafka: { brokers: "" }, topic: "t", groupId: "g" } as never,
    [],
    {},
  );
  assert.equal(code, 0, text);
  assert.equal(text.match(/^- /gm)?.length, 4, text);
  assert.match(text, /Nothing is wrong\.$/);
});
