// The worker under `deno serve --parallel`, with its task's permissions: several isolates label, share what is one's
// alone, and end together.

import assert from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { commandOf } from "../../shared/deno_task.ts";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { freePort } from "../support/ports.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";
import { startChild } from "../support/processes/process.ts";
import { completion, startStubLlm } from "../support/workers/stub_llm.ts";
import { until } from "../support/until.ts";

const ISOLATES = 3;

/** Starts what `deno task worker:serve` starts, on a port of its own. */
function startIsolates(env: Readonly<Record<string, string>>) {
  const port = freePort();
  const [, ...args] = (commandOf(deno.tasks["worker:serve"]) ?? "").split(" ");
  args[args.indexOf("--port") + 1] = String(port);
  const child = startChild({
    name: "worker:serve",
    command: Deno.execPath(),
    args,
    cwd: new URL("../../", import.meta.url).pathname,
    env: { DENO_JOBS: String(ISOLATES), LOG_FORMAT: "json", ...env },
  });
  return { child, url: `http://127.0.0.1:${port}` };
}

/** Asks on a connection of its own: which isolate answers is the kernel's choice. */
async function ask(url: string, init?: RequestInit): Promise<Response> {
  using client = Deno.createHttpClient({});
  const response = await fetch(url, { ...init, client } as RequestInit);
  const body = await response.text();
  return new Response(body, { status: response.status, headers: response.headers });
}

const classify = (url: string, id: number) =>
  ask(`${url}/classify`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "idempotency-key": `"support-tickets/0/${id}"`,
      "ackpool-timestamp": "1000",
    },
    body: JSON.stringify({ ticket_id: id, subject: "Invoice", body: "I was charged twice" }),
  });

Deno.test("isolates of one process label tickets, tell their metrics apart, and end when all are done", async () => {
  await using database = await bestDatabase();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run(
    "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, 40) g",
    [],
  );
  const release = Promise.withResolvers<void>();
  const held = { now: 0, isHolding: false };
  const llm = startStubLlm({
    script: async (request) => {
      if (!held.isHolding) return undefined;
      held.now++;
      await release.promise;
      return completion(request);
    },
  });
  const { child, url } = startIsolates({
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: llm.baseUrl,
    WORKER_CONCURRENCY: "6",
    WORKER_RESERVED: "0",
  });
  await using _child = child;
  await child.waitForLine(({ fields }) => fields["message"] === "listening");

  const seen = new Set<string>();
  await until("every isolate is met", async () => {
    const metrics = await (await ask(`${url}/metrics`)).text();
    seen.add(/isolate="([0-9a-f]{8})"/.exec(metrics)?.[1] ?? "none");
    return seen.size === ISOLATES;
  });
  assert.ok(!seen.has("none"));
  for (let id = 1; id <= 10; id++) assert.equal((await classify(url, id)).status, 200);
  const [labelled] = await admin.run<{ n: number }>(
    "select count(*)::int as n from tickets where category = 'billing'",
    [],
  );
  assert.equal(labelled?.n, 10);

  // WORKER_CONCURRENCY is the process's: of thirty at once no more than six are asked for.
  held.isHolding = true;
  const answers = Array.from({ length: 30 }, (_, index) => classify(url, 11 + index));
  let refused = 0;
  for (const answer of answers) answer.then(({ status }) => status === 503 && refused++, () => {});
  await until("thirty are refused or held", () => refused + held.now === 30);
  assert.ok(held.now <= 6 && held.now >= 2, `${held.now} at once`);

  child.kill("SIGTERM");
  await until(
    "every isolate drains",
    () => child.lines.filter(({ fields }) => fields["message"] === "draining").length === ISOLATES,
  );
  release.resolve();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, held.now);
  assert.equal((await child.exit).code, 0);
  assert.equal(child.lines.filter(({ fields }) => fields["message"] === "stopped").length, ISOLATES);
  await admin.close();
  await llm.stop();
});

Deno.test("isolates that are badly configured name every problem and exit 2", async () => {
  const { child } = startIsolates({ MAX_BODY_BYTES: "0" });
  await using _child = child;
  assert.equal((await child.exit).code, 2);
  assert.ok(child.lines.some(({ text }) => text.includes("ackpool: MAX_BODY_BYTES is below 1")));
});
