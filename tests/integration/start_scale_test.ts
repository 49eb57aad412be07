// The replicas of `deno task start`: none without work, one when there is some, and never one without its parent.

import assert from "node:assert/strict";
import postgres from "postgres";
import { readRun } from "../../shared/run_file.ts";
import { runStart, type StartedStart } from "../support/processes/embedded_start.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";

/** On a busy machine everything takes its time. */
const LIMIT_MS = 150_000;

const workersOf = (start: StartedStart) =>
  start.processes().filter(({ command }) => command.includes("worker/main.ts"));

Deno.test("deno task start has no replica without work, and one for the first record and the first call", async () => {
  await using home = await TemporaryFolder.make("ackpool-start-");
  const start = runStart(home.path, { WORKER_IDLE_MS: "1000" });
  await using child = start.child;
  const printed = (text: string) => child.waitForLine((line) => line.text === text, LIMIT_MS);
  await printed("replicas 0 → 1 (first record)");
  await child.waitForLine(({ text }) => /^replica 1 up after \d+\.\d s$/.test(text), LIMIT_MS);
  await printed("replicas 1 → 0 (not needed for 1 s)");
  await until("the last replica's end", () => workersOf(start).length === 0, { timeoutMs: LIMIT_MS });

  const answer = await fetch(`${start.ingress}/classify`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ subject: "Charged twice", body: "My card was charged twice this month." }),
  });
  assert.equal(answer.status, 200);
  assert.equal(typeof (await answer.json()).category, "string");
  await printed("replicas 0 → 1 (ad-hoc call)");
  await assertStatementLimit(child, home.path);
  assert.equal((await child.end("SIGINT")).code, 0);
  assert.deepEqual(start.processes(), []);
});

/** PGlite cannot be interrupted, so a statement that does not end costs its process, and no row. */
async function assertStatementLimit(child: StartedStart["child"], home: string): Promise<void> {
  const { databaseUrl = "" } = await readRun(home) ?? {};
  const connect = () => postgres(databaseUrl, { max: 1, connection: { application_name: "psql" } });
  const person = connect();
  await assert.rejects(person`select pg_sleep(3600)`);
  await child.waitForLine(
    ({ text }) => text.startsWith("! postgres: a statement of yours took longer"),
    LIMIT_MS,
  );
  await person.end({ timeout: 0 });
  await until("Postgres is back", async () => {
    const sql = connect();
    const rows = await sql`select count(*)::int as n from tickets where category is not null`.catch(() => []);
    await sql.end({ timeout: 0 });
    return rows[0]?.["n"] === 20;
  }, { timeoutMs: LIMIT_MS, everyMs: 200 });
}

Deno.test("no replica outlives a deno task start that is killed with -9, be it up, starting or leaving", async () => {
  await using home = await TemporaryFolder.make("ackpool-start-");
  const start = runStart(home.path, { WORKER_MIN: "4" });
  await using child = start.child;
  // The second two start when two are up, so that then there are both kinds.
  await until("three replicas", () => workersOf(start).length >= 3, { timeoutMs: LIMIT_MS, everyMs: 10 });
  await child.end("SIGKILL");
  await until("the end of all", () => start.processes().length === 0);

  const idle = runStart(home.path, { WORKER_IDLE_MS: "1" }, ["--samples"]);
  await using idleChild = idle.child;
  await idleChild.waitForLine(({ text }) => text.startsWith("replicas 1 → 0"), LIMIT_MS);
  assert.equal(workersOf(idle).length, 1, "it still serves whoever has not looked again");
  await idleChild.end("SIGKILL");
  await until("the end of all", () => idle.processes().length === 0);
});

Deno.test("deno task start ends with one clear line, before anything is up, where its replicas would refuse to start", async () => {
  await using home = await TemporaryFolder.make("ackpool-start-");
  const start = runStart(home.path, { TAXONOMY_FILE: `${home.path}/nothing.json` });
  await using child = start.child;
  assert.equal((await child.exit).code, 1);
  assert.equal(child.lines.length, 1);
  assert.match(child.lines[0]?.text ?? "", /^ackpool: TAXONOMY_FILE cannot be used: .*nothing\.json/);
  assert.deepEqual(start.processes(), []);
});
