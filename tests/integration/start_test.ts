// `deno task start` as a newcomer runs it: nothing set, everything embedded, a home of its own.

import assert from "node:assert/strict";
import { TicketRows } from "../../local/produce/ticket_rows.ts";
import { readRun } from "../../shared/run_file.ts";
import { runStart, type StartedStart } from "../support/processes/embedded_start.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";

/** On a busy machine everything takes its time. */
const UP_LIMIT_MS = 150_000;

async function labelsOf({ child }: StartedStart, count: number): Promise<number[]> {
  const ids = () =>
    child.lines.flatMap(({ text }) => Number(/^ticket (\d+) → [a-z_]+ +\d+% +\S/.exec(text)?.[1]) || []);
  await child.waitForLine(() => ids().length >= count, UP_LIMIT_MS);
  return ids();
}

const classify = (ingress: string) =>
  fetch(`${ingress}/classify`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ subject: "Charged twice", body: "My card was charged twice this month." }),
  });

Deno.test("deno task start labels its samples, answers, replaces a worker that dies, and stops cleanly", async () => {
  await using home = await TemporaryFolder.make("ackpool-start-");
  const start = runStart(home.path);
  await using child = start.child;
  const ids = await labelsOf(start, 20);
  assert.deepEqual(ids.sort((a, b) => a - b), Array.from({ length: 20 }, (_, at) => at + 1));

  const answer = await classify(start.ingress);
  assert.equal(answer.status, 200);
  assert.ok(
    ["billing", "bug", "feature_request", "account", "other"].includes((await answer.json()).category),
  );
  await until(
    "the consumer's readiness",
    async () => (await (await fetch(`${start.admin}/readyz`)).json()).status === "ready",
  );

  const worker = start.processes().find(({ command }) => command.includes("worker/main.ts"));
  if (worker !== undefined) {
    Deno.kill(worker.pid, "SIGKILL");
    await child.waitForLine(({ text }) =>
      /^! worker \d: ended with code 137; starting again in 0.5 s$/.test(text)
    );
    const workers = () => start.processes().filter(({ command }) => command.includes("worker/main.ts"));
    await until("the worker's successor", () => workers().length === 1);
  }

  assert.equal((await child.end("SIGINT")).code, 0);
  assert.equal(child.lines.at(-1)?.text, "Stopped. 20 labels written.");
  assert.deepEqual(start.processes(), []);
});

Deno.test("deno task start works again after SIGTERM and after SIGKILL, with everything that was kept", async () => {
  await using home = await TemporaryFolder.make("ackpool-start-");
  const first = runStart(home.path);
  await using firstChild = first.child;
  const firstIds = await labelsOf(first, 1);
  const secondToo = runStart(home.path);
  await using refused = secondToo.child;
  assert.equal((await refused.exit).code, 1);
  assert.match(
    refused.lines[0]?.text ?? "",
    /^ackpool: deno task start runs here already \(process \d+, http:\/\/localhost:\d+\)\. Stop it first\.$/,
  );
  assert.equal((await firstChild.end("SIGKILL")).signal, "SIGKILL");
  await until("the end of what the killed start had started", () => first.processes().length === 0);

  const second = runStart(home.path, {}, ["--samples"]);
  await using secondChild = second.child;
  const secondIds = await labelsOf(second, 20);
  assert.ok(secondIds.every((id) => id > 20), "new tickets have new ids");
  assert.ok(firstIds.every((id) => id <= 20));
  assert.equal((await secondChild.end("SIGTERM")).code, 0);
  assert.deepEqual(second.processes(), []);

  const third = runStart(home.path);
  await using thirdChild = third.child;
  await thirdChild.waitForLine(({ text }) => text.startsWith("Waiting for tickets in"), UP_LIMIT_MS);
  assert.ok(
    !thirdChild.lines.some(({ text }) => text.includes("sample tickets are in")),
    "samples come once",
  );
  const { databaseUrl = "" } = await readRun(home.path) ?? {};
  const rows = new TicketRows(databaseUrl);
  const open = await rows.countUnlabelled(undefined);
  await rows.insert([{ id: "HD-00001", subject: "Charged twice", body: "…" }]);
  await rows.close();
  assert.equal((await thirdChild.end("SIGINT")).code, 0);
  assert.match(
    thirdChild.lines.at(-1)?.text ?? "",
    new RegExp(`^${open + 1} tickets? ha(s|ve) no label yet\\. .*deno task produce --unlabelled$`),
  );
});

Deno.test("deno task start ends with one clear line where it cannot start, and leaves nothing running", async () => {
  await using home = await TemporaryFolder.make("ackpool-start-");
  using taken = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = taken.addr;
  const cases: readonly [Record<string, string>, number, RegExp][] = [
    [
      { ADMIN_PORT: String(port) },
      1,
      /^ackpool: Port \d+ is in use\. Stop what listens there, or set ADMIN_PORT to another port\.$/,
    ],
    [{ PORT: "abc" }, 2, /^ackpool: PORT is not a whole number: current value is "abc"$/],
    [
      { KAFKA_BROKERS: "127.0.0.1:1" },
      1,
      /^! No Kafka answers at 127\.0\.0\.1:1\. Start it, correct KAFKA_BROKERS/,
    ],
    [
      { DATABASE_URL: "postgres://me:secret@127.0.0.1:1/db" },
      1,
      /^! migrate: The database could not be migrated/,
    ],
  ];
  for (const [env, code, line] of cases) {
    const start = runStart(home.path, env);
    await using child = start.child;
    assert.equal((await child.exit).code, code, Object.keys(env)[0]);
    assert.equal(child.lines.filter(({ text }) => line.test(text)).length, 1, Object.keys(env)[0]);
    assert.ok(!child.lines.some(({ text }) => text.includes("secret")));
    assert.deepEqual(start.processes(), []);
  }
});
