// The worker as a process: how it starts, refuses to start, keeps its promises over two replicas, and stops.

import assert from "node:assert/strict";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { freePort } from "../support/ports.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { completion, startStubLlm } from "../support/workers/stub_llm.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";
import { startWorker, startWorkerChild } from "../support/processes/worker_process.ts";

const TICKET = { subject: "Invoice", body: "I was charged twice" };

async function migrated(tickets: number) {
  const database = await bestDatabase();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run(
    "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, $1::int) g",
    [
      tickets,
    ],
  );
  return {
    url: database.url,
    admin,
    [Symbol.asyncDispose]: async () => {
      await admin.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a worker with a bad environment names every problem and exits 2", async () => {
  await using child = startWorkerChild({ PORT: "abc", MAX_BODY_BYTES: "0" });
  assert.equal((await child.exit).code, 2);
  assert.deepEqual(child.lines.map(({ text }) => text), [
    'ackpool: PORT is not a whole number: current value is "abc"',
    'ackpool: MAX_BODY_BYTES is below 1: current value is "0"',
    "ackpool: DATABASE_URL is not set (Postgres with the tickets)",
    "ackpool: OPENAI_API_KEY or OPENAI_BASE_URL is not set (one of them says which LLM to use)",
  ]);
});

Deno.test("a worker whose port is taken says what to do in one line and exits 1", async () => {
  using taken = Deno.listen({ port: 0 });
  await using child = startWorkerChild({
    PORT: String(taken.addr.port),
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
  });
  assert.equal((await child.exit).code, 1);
  assert.deepEqual(child.lines.map(({ text }) => text), [
    `ackpool: Port ${taken.addr.port} is in use. Stop what listens there, or set PORT to another port.`,
  ]);
});

Deno.test("a worker without database and provider stays up, says what is missing, and stops", async () => {
  await using worker = await startWorker({
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
  });
  assert.equal((await fetch(`${worker.url}/livez`)).status, 200);
  const { causes } = await (await fetch(`${worker.url}/readyz`)).json();
  assert.deepEqual(causes.map(({ name }: { name: string }) => name), [
    "database-unreachable",
    "provider-unreachable",
  ]);
  const adHoc = await worker.classify(TICKET);
  assert.deepEqual([adHoc.status, (await adHoc.json()).type], [502, "/problems/provider-failed"]);
  const stored = await worker.classify({ ...TICKET, ticket_id: 1 });
  assert.equal(stored.headers.get("retry-after"), null);
  assert.deepEqual([stored.status, (await stored.json()).type], [503, "/problems/database-unreachable"]);
  assert.equal((await worker.child.end("SIGTERM", 10_000)).code, 0);
});

Deno.test("a worker's log says what is away, where it was looked for, and what to do, without being asked", async () => {
  const provider = `127.0.0.1:${freePort()}`;
  await using worker = await startWorker({
    DATABASE_URL: `postgres://nobody:s3cret@127.0.0.1:${freePort()}/none`,
    OPENAI_BASE_URL: `http://${provider}/v1`,
  });
  const response = await worker.classify(TICKET);
  await response.body?.cancel();
  const failed = await worker.child.waitForLine(({ fields }) => fields["message"] === "failed");
  assert.deepEqual([failed.fields["status"], failed.fields["problem"]], [502, "/problems/provider-failed"]);
  assert.ok(String(failed.fields["detail"]).includes(`${provider} could not be reached`));
  assert.match(String(failed.fields["detail"]), /ECONNREFUSED/);
  for (const [cause, remedy] of [["provider", "OPENAI_BASE_URL"], ["database", "DATABASE_URL"]] as const) {
    const line = await worker.child.waitForLine(({ fields }) =>
      fields["message"] === "not ready" && fields["cause"] === `${cause}-unreachable`
    );
    assert.match(String(line.fields["detail"]), /ECONNREFUSED/);
    assert.ok(String(line.fields["remedy"]).includes(remedy));
  }
  assert.ok(!worker.child.lines.some(({ text }) => text.includes("s3cret")));
});

Deno.test("a worker that is told to stop finishes what it has, takes nothing new, and exits 0", async () => {
  await using database = await migrated(1);
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const llm = startStubLlm({
    script: async (request) => {
      asked.resolve();
      await release.promise;
      return completion(request);
    },
  });
  await using worker = await startWorker({ DATABASE_URL: database.url, OPENAI_BASE_URL: llm.baseUrl });
  const inFlight = worker.classify({ ...TICKET, ticket_id: 1 }, 1);
  await asked.promise;
  worker.child.kill("SIGTERM");
  await worker.child.waitForLine((line) => line.fields.message === "draining");
  const refused = await worker.classify(TICKET);
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
  assert.equal((await refused.json()).type, "/problems/draining");
  const { causes } = await (await fetch(`${worker.url}/readyz`)).json();
  assert.equal(causes[0].name, "draining");
  release.resolve();
  const finished = await inFlight;
  assert.deepEqual([finished.status, (await finished.json()).category], [200, "billing"]);
  assert.equal((await worker.child.exit).code, 0);
  const line = await worker.child.waitForLine((line) => line.fields.message === "classified");
  assert.deepEqual([line.fields.ticket_id, line.fields.category, line.fields.outcome], [
    1,
    "billing",
    "classified",
  ]);
  assert.equal(worker.child.lines.at(-1)?.fields.message, "stopped");
  await llm.stop();
});

Deno.test("a second signal ends a worker at once", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const llm = startStubLlm({
    script: async (request) => {
      asked.resolve();
      await release.promise;
      return completion(request);
    },
  });
  await using worker = await startWorker({
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    OPENAI_BASE_URL: llm.baseUrl,
  });
  const lost = assert.rejects(worker.classify(TICKET));
  await asked.promise;
  worker.child.kill("SIGTERM");
  await worker.child.waitForLine((line) => line.fields.message === "draining");
  assert.notEqual((await worker.child.end("SIGTERM", 5_000)).code, 0);
  await lost;
  release.resolve();
  await llm.stop();
});

Deno.test("20 identical requests at once over two replicas cost one call, and so does everything after", async () => {
  await using database = await migrated(1);
  // The label is bought once all the others have been told to come back, however slow the machine is.
  const others = Promise.withResolvers<undefined>();
  const llm = startStubLlm({ script: () => others.promise });
  const env = { DATABASE_URL: database.url, OPENAI_BASE_URL: llm.baseUrl, WORKER_CONCURRENCY: "20" };
  await using one = await startWorker(env);
  await using two = await startWorker(env);
  const ticket = { ...TICKET, ticket_id: 1 };
  let answered = 0;
  const statuses = await Promise.all(Array.from({ length: 20 }, async (_, at) => {
    const response = await (at % 2 === 0 ? one : two).classify(ticket, 5);
    await response.body?.cancel();
    if (++answered === 19) others.resolve(undefined);
    return response.status;
  }));
  assert.deepEqual(statuses.sort(), [200, ...Array(19).fill(409)]);
  for (const [worker, offset] of [[one, 5], [two, 5], [two, 6], [one, 3]] as const) {
    assert.equal((await worker.classify(ticket, offset)).status, 200);
  }
  assert.equal(llm.calls(), 1);
  await llm.stop();
});

Deno.test("a taxonomy file gives a worker other labels, and a bad one is refused in full", async () => {
  // Inside the project: the task may read nothing else.
  const folder = await Deno.makeTempDir({
    dir: new URL("../../", import.meta.url).pathname,
    prefix: ".taxonomy-",
  });
  const file = `${folder}/taxonomy.json`;
  const env = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none", TAXONOMY_FILE: file };
  const llm = startStubLlm();
  const write = (labels: unknown) => Deno.writeTextFile(file, JSON.stringify({ labels }));
  try {
    await write([{ name: "urgent", description: "Now" }, { name: "later", description: "Not now" }]);
    await using worker = await startWorker({ ...env, OPENAI_BASE_URL: llm.baseUrl });
    assert.equal((await (await worker.classify(TICKET)).json()).category, "later");
    await write([{ name: "urgent", description: "" }, { name: "Urgent", description: "Now" }]);
    await using refused = startWorkerChild({ ...env, OPENAI_BASE_URL: llm.baseUrl });
    assert.equal((await refused.exit).code, 2);
    assert.deepEqual(refused.lines.map(({ text }) => text), [
      'ackpool: Taxonomy label "urgent" has an empty description',
      'ackpool: Taxonomy label "Urgent" is there twice',
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
    await llm.stop();
  }
});
