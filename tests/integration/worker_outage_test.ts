// The worker when database or provider misbehave: the right status each time, and no restart afterwards.

import assert from "node:assert/strict";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { CutWire } from "../support/cut_wire.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { completion, startStubLlm, type StubRequest } from "../support/workers/stub_llm.ts";
import { bestDatabase } from "../support/postgres/test_database.ts";
import { until } from "../support/until.ts";
import { startWorker } from "../support/processes/worker_process.ts";

const TICKET = { subject: "Invoice", body: "I was charged twice" };

Deno.test("an outage of the database costs 503s, no second payment, and no restart", async () => {
  await using database = await bestDatabase();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run("insert into tickets (id, subject, body) values (1, 's', 'b'), (2, 's', 'b')", []);
  const address = new URL(database.url);
  await using wire = new CutWire({ hostname: address.hostname, port: Number(address.port) });
  address.hostname = "127.0.0.1";
  address.port = String(wire.port);
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const llm = startStubLlm({
    script: async (request, call) => {
      asked.resolve();
      if (call === 1) await release.promise;
      return completion(request);
    },
  });
  await using worker = await startWorker({ DATABASE_URL: address.href, OPENAI_BASE_URL: llm.baseUrl });

  const paid = worker.classify({ ...TICKET, ticket_id: 1 }, 1);
  await asked.promise;
  wire.cut();
  release.resolve();
  const lost = await paid;
  assert.deepEqual([lost.status, lost.headers.get("retry-after")], [503, null]);
  assert.equal((await lost.json()).type, "/problems/database-unreachable");
  assert.equal((await worker.classify({ ...TICKET, ticket_id: 2 }, 2)).status, 503);
  assert.equal((await worker.classify(TICKET)).status, 200, "an ad-hoc call needs no database");
  assert.match(await (await fetch(`${worker.url}/metrics`)).text(), /^ackpool_worker_unsaved_labels 1$/m);

  wire.mend();
  await until("a ready worker", async () => (await fetch(`${worker.url}/readyz`)).status === 200);
  const redelivered = await (await worker.classify({ ...TICKET, ticket_id: 1 }, 1)).json();
  assert.deepEqual([redelivered.outcome, redelivered.category], ["known", "billing"]);
  assert.equal(llm.calls(), 2, "one for ticket 1, one ad hoc");
  await admin.close();
  await llm.stop();
});

Deno.test("a database that goes away and hangs under load costs no label, no second payment and no restart", async () => {
  const TICKETS = 240;
  await using database = await bestDatabase();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run(
    "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(1, $1::int) g",
    [
      TICKETS,
    ],
  );
  const address = new URL(database.url);
  await using wire = new CutWire({ hostname: address.hostname, port: Number(address.port) });
  address.hostname = "127.0.0.1";
  address.port = String(wire.port);
  const llm = startStubLlm({ latencyMs: 20, tail: true });
  await using worker = await startWorker({
    DATABASE_URL: address.href,
    DATABASE_TIMEOUT_MS: "300",
    OPENAI_BASE_URL: llm.baseUrl,
    WORKER_CONCURRENCY: "20",
  });
  const statuses = new Map<number, number>();
  let next = 1;
  let done = 0;
  const deliver = async (ticket: number): Promise<void> => {
    const response = await worker.classify({ ...TICKET, ticket_id: ticket }, ticket);
    await response.body?.cancel();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    if (response.status === 200) return void done++;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return await deliver(ticket);
  };
  const deliverAll = async () => {
    while (next <= TICKETS) await deliver(next++);
  };
  const outages = async () => {
    for (const [at, outage] of (["cut", "freeze"] as const).entries()) {
      await until(`${(at + 1) * 80} labels`, () => done >= (at + 1) * 80);
      const failuresBefore = statuses.get(503) ?? 0;
      wire[outage]();
      await until("requests that fail", () => (statuses.get(503) ?? 0) > failuresBefore + 20);
      wire.mend();
    }
  };
  await Promise.all([outages(), ...Array.from({ length: 20 }, deliverAll)]);
  const [labelled] = await admin.run<{ n: number }>("select count(category)::int as n from tickets", []);
  assert.equal(labelled?.n, TICKETS);
  assert.equal(llm.calls(), TICKETS);
  assert.deepEqual([...statuses.keys()].filter((status) => ![200, 409, 503].includes(status)), []);
  await admin.close();
  await llm.stop();
});

Deno.test("a provider that misbehaves gets the right status each time, and the next good answer is used", async (test) => {
  const hang = Promise.withResolvers<Response>();
  const cases: readonly (readonly [string, () => Response | Promise<Response>, number, string])[] = [
    ["hangs", () => hang.promise, 504, "provider-timeout"],
    ["cuts the stream", cutStream, 502, "provider-failed"],
    ["sends headers and then nothing", hangingBody, 504, "provider-timeout"],
    ["answers HTML", () => html("<h1>Bad gateway</h1>"), 502, "provider-failed"],
    [
      "answers 200 with an error body",
      () => Response.json({ error: { message: "oops" } }),
      502,
      "provider-failed",
    ],
    [
      "answers 200 with no quota",
      () => Response.json({ error: { code: "insufficient_quota" } }),
      403,
      "provider-refused",
    ],
    ["sends 10 MB", () => html("x".repeat(10_000_000)), 502, "provider-failed"],
    [
      "sends 10 MB in a completion",
      () => Response.json({ choices: [{ message: { content: "x".repeat(10_000_000) } }] }),
      502,
      "provider-failed",
    ],
    ["says 500", () => refusal(500, "server_error"), 502, "provider-failed"],
    ["says 401", () => refusal(401, "invalid_api_key"), 403, "provider-refused"],
    ["says 404 for the model", () => refusal(404, "model_not_found"), 403, "provider-refused"],
    ["says 429", () => refusal(429, "rate_limit_exceeded"), 429, "rate-limited"],
    ["says 429 without quota", () => refusal(429, "insufficient_quota"), 403, "provider-refused"],
    ["says the ticket is too long", () => refusal(400, "context_length_exceeded"), 413, "ticket-too-long"],
    [
      "redirects",
      () => new Response(null, { status: 302, headers: { location: "/" } }),
      403,
      "provider-refused",
    ],
    [
      "refuses in words",
      () => Response.json({ choices: [{ message: { content: null, refusal: "No." } }] }),
      502,
      "unusable-completion",
    ],
  ];
  let next: (() => Response | Promise<Response>) | undefined;
  const llm = startStubLlm({ script: () => next?.() });
  await using worker = await startWorker({
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    OPENAI_BASE_URL: llm.baseUrl,
    OPENAI_TIMEOUT_MS: "700",
  });
  for (const [name, script, status, slug] of cases) {
    await test.step(name, async () => {
      next = script;
      const response = await worker.classify(TICKET);
      assert.deepEqual([response.status, (await response.json()).type], [status, `/problems/${slug}`]);
      next = undefined;
      assert.equal((await worker.classify(TICKET)).status, 200);
    });
  }
  hang.resolve(html("too late"));
  await llm.stop();
});

Deno.test("a provider without json_schema or logprobs is asked again without them, and for plain JSON, once", async () => {
  const rejects = (request: StubRequest) => {
    if (request.logprobs) {
      return refusal(400, "unsupported_parameter", "'logprobs' is not supported with this model");
    }
    if (request.response_format) {
      return refusal(400, "invalid_request_error", "response_format json_schema unsupported");
    }
    return completion(request, 1, "Billing.");
  };
  const llm = startStubLlm({ script: rejects });
  await using worker = await startWorker({
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    OPENAI_BASE_URL: llm.baseUrl,
  });
  for (const calls of [4, 5]) {
    const { category, confidence } = await (await worker.classify(TICKET)).json();
    assert.deepEqual([category, confidence, llm.calls()], ["billing", null, calls]);
  }
  await llm.stop();
});

Deno.test("a fallback model answers when the first one fails, and its name is in the label", async () => {
  const llm = startStubLlm({
    script: (request) => request.model === "first" ? refusal(500, "server_error") : undefined,
  });
  await using worker = await startWorker({
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    OPENAI_BASE_URL: llm.baseUrl,
    OPENAI_MODEL: "first",
    FALLBACK_MODELS: "second",
    MODEL_PRICES: "second=1/10",
  });
  const label = await (await worker.classify(TICKET)).json();
  assert.deepEqual([label.category, label.model, label.cost_usd, llm.calls()], [
    "billing",
    "second",
    0.0007,
    2,
  ]);
  assert.match(label.label_version, /^first:/);
  await llm.stop();
});

Deno.test("a spent budget costs 429s until midnight, is named by /readyz, and leaves stored labels alone", async () => {
  await using database = await bestDatabase();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run("insert into tickets (id, subject, body) values (1, 's', 'b')", []);
  const llm = startStubLlm();
  await using worker = await startWorker({
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: llm.baseUrl,
    TOKENS_PER_DAY: "400",
  });
  assert.equal((await worker.classify({ ...TICKET, ticket_id: 1 }, 1)).status, 200);
  const refused = await worker.classify(TICKET);
  assert.deepEqual([refused.status, (await refused.json()).type], [429, "/problems/budget-spent"]);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal((await (await worker.classify({ ...TICKET, ticket_id: 1 }, 1)).json()).outcome, "known");
  const { causes } = await (await fetch(`${worker.url}/readyz`)).json();
  assert.deepEqual(causes.map(({ name }: { name: string }) => name), ["budget-spent"]);
  assert.equal(llm.calls(), 1);
  await admin.close();
  await llm.stop();
});

Deno.test("an unkeyed call is aborted when its caller goes away, a keyed one is finished and stored", async () => {
  await using database = await bestDatabase();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  await admin.run("insert into tickets (id, subject, body) values (1, 's', 'b'), (2, 's', 'b')", []);
  const llm = startStubLlm({ latencyMs: 400 });
  await using worker = await startWorker({ DATABASE_URL: database.url, OPENAI_BASE_URL: llm.baseUrl });
  const leave = async (ticketId: number, headers: Record<string, string>) => {
    const calls = llm.calls();
    const caller = new AbortController();
    const body = JSON.stringify({ ...TICKET, ticket_id: ticketId });
    const request = fetch(`${worker.url}/classify`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
      signal: caller.signal,
    });
    await until("a call of the LLM", () => llm.calls() > calls);
    caller.abort();
    await assert.rejects(request);
  };
  await leave(1, {});
  await leave(2, { "idempotency-key": '"support-tickets/0/7"' });
  const categories = () =>
    admin.run<{ category: string | null }>("select category from tickets order by id", []);
  await until("the keyed label in its row", async () => (await categories())[1]?.category === "billing");
  assert.equal((await categories())[0]?.category, null);
  const again = await (await worker.classify({ ...TICKET, ticket_id: 2 }, 7)).json();
  assert.deepEqual([again.outcome, llm.calls()], ["known", 2]);
  await admin.close();
  await llm.stop();
});

function html(text: string): Response {
  return new Response(text, { headers: { "content-type": "text/html" } });
}

function refusal(status: number, code: string, message = "no"): Response {
  return Response.json({ error: { code, message, type: "error" } }, { status });
}

function cutStream(): Response {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode('{"choices":[{"message":{"content":"bil'));
      controller.error(new Error("cut"));
    },
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

function hangingBody(): Response {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"choices":')),
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}
