// Rights that are used, by Deno's audit log: every program asks for what its list gives, and its list gives no more.

import assert from "node:assert/strict";
import { startTask } from "../chaos/stage/tasks.ts";
import { commandOf } from "../../shared/deno_task.ts";
import deno from "../../deno.json" with { type: "json" };
import { embeddedPostgres } from "../support/postgres/embedded_postgres.ts";
import { Scene } from "../support/processes/consumer_process.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { freePort } from "../support/ports.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

/**
 * Asked for by packages, and by some of their versions only: NODE_ENV and JEST_WORKER_ID by undici and kafkajs where
 * something fails, the user's names by postgres where a URL names none.
 */
const SELDOM = new Set([
  "NODE_ENV",
  "JEST_WORKER_ID",
  "KAFKAJS_*",
  "UNDICI_*",
  "USERNAME",
  "USER",
  "LOGNAME",
  "HOSTNAME",
]);

/** What a program did, by kind of right. */
type Used = ReadonlyMap<string, ReadonlySet<string>>;

/** Runs a program with the audit log until `work` is done; `work` waits for what should have happened. */
async function audited(
  task: "consumer" | "worker" | "ingress" | "migrate",
  env: Readonly<Record<string, string>>,
  work: (child: ReturnType<typeof startTask>) => Promise<unknown>,
): Promise<Used> {
  await using folder = await TemporaryFolder.make("ackpool-audit-");
  const file = `${folder.path}/audit.jsonl`;
  const child = startTask(task, task, { ...env, DENO_AUDIT_PERMISSIONS: file });
  await using _ended = child;
  await work(child);
  await child.end("SIGTERM");
  const lines = (await Deno.readTextFile(file)).trim().split("\n").map((line) => JSON.parse(line));
  const byKind = Map.groupBy(
    lines as { permission: string; value: unknown }[],
    ({ permission }) => permission,
  );
  return new Map([...byKind].map(([kind, all]) => [kind, new Set(all.map(({ value }) => String(value)))]));
}

/** Names and patterns of `--allow-env` that nothing asked for. */
function unused(task: keyof typeof deno.tasks, used: Used): readonly string[] {
  const [, list = ""] = /--allow-env=(\S+)/.exec(commandOf(deno.tasks[task]) ?? "") ?? [];
  const asked = [...used.get("env") ?? []].map((name) => name.replaceAll('"', ""));
  return list.split(",").filter((given) => !SELDOM.has(given)).filter((given) =>
    !asked.some((name) => given.endsWith("*") ? name.startsWith(given.slice(0, -1)) : name === given)
  );
}

const listening = (child: ReturnType<typeof startTask>) =>
  child.waitForLine(({ fields }) => fields["message"] === "listening");

Deno.test("rights in use: environment by name, net, and no file that nobody named", async (t) => {
  const kinds = (used: Used) => [...used.keys()].sort();

  await t.step("consumer, while it delivers", async () => {
    await using kafka = await TestKafka.start();
    const scene = await Scene.in(kafka);
    await scene.produce(["v"]);
    await using stub = new StubWorker();
    const used = await audited("consumer", {
      KAFKA_BROKERS: kafka.brokers,
      KAFKA_TOPIC: scene.topic,
      KAFKA_GROUP_ID: scene.groupId,
      KAFKA_SESSION_TIMEOUT_MS: "3000",
      WORKER_URL: stub.url,
      ADMIN_PORT: String(freePort()),
    }, () => scene.untilCommitted());
    assert.deepEqual([kinds(used), unused("consumer", used)], [["env", "net"], []]);
    assert.equal(stub.requests.length, 1);
  });

  await t.step("migrate and worker, with a database", async () => {
    await using database = await embeddedPostgres();
    const env = { DATABASE_URL: database.url };
    const migrated = await audited("migrate", env, (child) => child.exit);
    assert.deepEqual([kinds(migrated), unused("migrate", migrated)], [["env", "net", "read"], []]);
    const folders = [...migrated.get("read") ?? []].filter((path) => !path.includes("worker/db/"));
    assert.deepEqual(folders, []);
    const used = await audited("worker", {
      ...env,
      PORT: String(freePort()),
      OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
    }, listening);
    assert.deepEqual([kinds(used), unused("worker", used)], [["env", "net"], []]);
  });

  await t.step("ingress", async () => {
    const env = { WORKER_URL: "http://127.0.0.1:1", PORT: String(freePort()) };
    const used = await audited("ingress", env, listening);
    assert.deepEqual([kinds(used), unused("ingress", used)], [["env", "net"], []]);
  });
});
