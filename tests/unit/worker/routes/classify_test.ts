// Tests of the worker's classify route.

import assert from "node:assert/strict";
import { accessTokens } from "../../../../shared/http/bearer_token.ts";
import { ruleFor } from "../../../../shared/contract/status_contract.ts";
import { parseRetryAfter } from "../../../../shared/contract/retry_after.ts";
import type { LlmFailureCause } from "../../../../worker/core/llm.ts";
import type { StoreFailureCause } from "../../../../worker/core/label_store.ts";
import { answer, workerApp } from "../../../support/workers/worker_app.ts";

const TICKET = { subject: "Invoice", body: "I was charged twice" };

/** Name of the contract's rule for a response, and the problem's slug. */
async function read(response: Response) {
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), 0);
  const body = await response.json();
  const rule = ruleFor({
    kind: "answer",
    status: response.status,
    problemType: body.type,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  return {
    status: response.status,
    slug: String(body.type).replace("/problems/", ""),
    rule: rule.name,
    body,
  };
}

Deno.test("POST /classify answers a label for a ticket without an id and writes nothing", async () => {
  const { classify, tables } = workerApp();
  const response = await classify(TICKET);
  const body = await response.json();
  assert.equal(response.status, 200);
  assert.deepEqual(
    [body.ticket_id, body.category, body.outcome, body.paid],
    [null, "billing", "classified", "now"],
  );
  assert.equal(tables.labels.size, 0);
});

Deno.test("POST /classify writes the row of a ticket with an id, and pays once for it", async () => {
  const { classify, tables, prompts } = workerApp();
  tables.tickets.set("17", { category: null, classifiedAtMs: null });
  const key = { "idempotency-key": '"support-tickets/0/5"', "ackpool-timestamp": "1000" };
  const outcomes = [];
  for (const headers of [key, key, { ...key, "idempotency-key": '"support-tickets/0/9"' }, key]) {
    const { outcome, paid, category } = await (await classify({ ...TICKET, ticket_id: 17 }, headers)).json();
    outcomes.push(`${outcome} ${paid} ${category}`);
  }
  assert.deepEqual(outcomes, [
    "classified now billing",
    "known before billing",
    "known before billing",
    "stale before billing",
  ]);
  assert.equal(tables.tickets.get("17")?.category, "billing");
  assert.equal(prompts.length, 1);
});

Deno.test("POST /classify says in headers where the time went and what the label is, and nothing of the ticket", async () => {
  const { classify, tables } = workerApp();
  tables.tickets.set("17", { category: null, classifiedAtMs: null });
  const { headers } = await classify({ ...TICKET, ticket_id: 17 });
  assert.match(headers.get("server-timing") ?? "", /^llm;dur=[\d.]+, db;dur=[\d.]+, total;dur=[\d.]+$/);
  assert.match(headers.get("ackpool-label") ?? "", /^billing(;[01](\.\d+)?)?$/);
  assert.equal(headers.get("ackpool-ticket-id"), "17");
  assert.doesNotMatch(JSON.stringify([...headers]), /Invoice|charged/);
});

Deno.test("POST /classify answers 409 while another request buys the label", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const { classify, tables } = workerApp({
    complete: async () => {
      asked.resolve();
      await release.promise;
      return answer("bug");
    },
  });
  tables.tickets.set("17", { category: null, classifiedAtMs: null });
  const first = classify({ ...TICKET, ticket_id: 17 });
  await asked.promise;
  const second = await classify({ ...TICKET, ticket_id: 17 });
  assert.equal(second.headers.get("retry-after"), "1");
  assert.deepEqual([second.status, (await read(second)).rule], [409, "held"]);
  release.resolve();
  assert.equal((await (await first).json()).category, "bug");
});

Deno.test("POST /classify says which part of a request is bad", async (test) => {
  const { app } = workerApp({ maxBodyBytes: 100 });
  const json = { "content-type": "application/json" };
  const cases: readonly (readonly [string, RequestInit, number, string])[] = [
    ["not JSON", { body: "{", headers: json }, 400, "not-json"],
    ["an empty body", { headers: json }, 400, "not-json"],
    [
      "bytes that are not UTF-8",
      { body: new Uint8Array([0x22, 0xff, 0x22]), headers: json },
      400,
      "not-json",
    ],
    ["JSON of the wrong shape", { body: '{"subject":1}', headers: json }, 422, "invalid-request"],
    ["a number as the whole body", { body: "7", headers: json }, 422, "invalid-request"],
    [
      "a negative id",
      { body: '{"ticket_id":-1,"subject":"","body":""}', headers: json },
      422,
      "invalid-request",
    ],
    [
      "an id the column cannot hold",
      { body: '{"ticket_id":"x","subject":"","body":""}', headers: json },
      422,
      "invalid-request",
    ],
    [
      "a body over the limit",
      { body: JSON.stringify({ subject: "", body: "x".repeat(100) }), headers: json },
      413,
      "body-too-large",
    ],
    [
      "another type",
      { body: "{}", headers: { "content-type": "text/plain" } },
      415,
      "unsupported-media-type",
    ],
    [
      "another charset",
      { body: "{}", headers: { "content-type": "application/json; charset=latin1" } },
      415,
      "unsupported-media-type",
    ],
  ];
  for (const [name, init, status, slug] of cases) {
    await test.step(name, async () => {
      const response = await app.request("/classify", { method: "POST", ...init });
      assert.equal(response.headers.get("content-type"), "application/problem+json");
      const seen = await read(response);
      assert.deepEqual([seen.status, seen.slug, seen.rule], [status, slug, "rejected"]);
      assert.equal((await app.request(seen.body.type)).status, 200, "its type resolves");
    });
  }
});

Deno.test("POST /classify stops reading a body of unknown or untrue length at the limit", async (test) => {
  const json = { "content-type": "application/json" };
  for (const headers of [json, { ...json, "content-length": "10" }]) {
    await test.step(JSON.stringify(headers), async () => {
      const { app } = workerApp({ maxBodyBytes: 1_000 });
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += 500;
          controller.enqueue(new Uint8Array(500).fill(0x20));
        },
      });
      const init: RequestInit = { method: "POST", body, headers };
      const response = await app.request("/classify", { ...init, duplex: "half" } as RequestInit);
      assert.equal(response.status, 413);
      assert.ok(sent <= 2_500, `${sent} bytes were read`);
    });
  }
});

Deno.test("POST /classify takes +json types, and none that another site's page can make a browser send", async () => {
  const { app } = workerApp();
  const statusOf = async (type: string | undefined) => {
    const body = new TextEncoder().encode(JSON.stringify(TICKET));
    const headers = new Headers(type === undefined ? {} : { "content-type": type });
    return (await app.request("/classify", { method: "POST", body, headers })).status;
  };
  for (const type of ["application/vnd.acme.ticket+json", "application/json; charset=utf-8"]) {
    assert.equal(await statusOf(type), 200, type);
  }
  for (
    const type of [undefined, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
  ) {
    assert.equal(await statusOf(type), 415, type ?? "no type");
  }
});

Deno.test("POST /classify gives a permit to who has sent a whole body: those that trickle hold none", async () => {
  const { app, classify, permits } = workerApp({ concurrency: 1, reserved: 0 });
  const gate = Promise.withResolvers<void>();
  const trickle = async function* () {
    yield new TextEncoder().encode("{");
    await gate.promise;
  };
  const headers = { "content-type": "application/json" };
  const slow = Array.from(
    { length: 20 },
    () => app.request("/classify", { method: "POST", headers, body: ReadableStream.from(trickle()) }),
  );
  assert.equal((await classify(TICKET)).status, 200);
  assert.equal(permits.inFlight, 0);
  gate.resolve();
  for (const response of await Promise.all(slow)) assert.equal(response.status, 400);
});

Deno.test("POST /classify answers a tombstone with 204 without looking for a body", async () => {
  const { app, prompts } = workerApp();
  const response = await app.request("/classify", {
    method: "POST",
    headers: { "ackpool-tombstone": "true" },
  });
  assert.deepEqual([response.status, prompts.length], [204, 0]);
});

Deno.test("POST /classify believes what is said of a record only where the delivery token says it", async () => {
  const people = [{ token: "person", scopes: ["classify" as const] }];
  const { classify, tables } = workerApp({ tokens: accessTokens("delivery", people) });
  tables.tickets.set("17", { category: null, classifiedAtMs: null });
  const ticket = { ...TICKET, ticket_id: 17 };
  const forged = {
    authorization: "Bearer person",
    "idempotency-key": '"t/0/9223372036854775807"',
    "ackpool-timestamp": "999999999999999",
  };
  assert.equal((await (await classify(ticket, forged)).json()).outcome, "classified");
  const tombstone = await classify(ticket, { ...forged, "ackpool-tombstone": "true" });
  assert.equal(tombstone.status, 200);
  // The real event is no older than the forged one.
  const real = {
    authorization: "Bearer delivery",
    "idempotency-key": '"t/0/1"',
    "ackpool-timestamp": String(Date.now() + 1),
  };
  const answer = await (await classify({ ...ticket, body: "another text" }, real)).json();
  assert.equal(answer.outcome, "classified");
});

Deno.test("POST /classify answers 400 to a place that Kafka cannot have", async () => {
  const { classify, tables } = workerApp();
  tables.tickets.set("17", { category: null, classifiedAtMs: null });
  const ticket = { ...TICKET, ticket_id: 17 };
  for (
    const key of [
      "t/9999999999/1",
      "t/2147483648/1",
      "t/0/9223372036854775808",
      "t/0/99999999999999999999999999",
    ]
  ) {
    const response = await classify(ticket, { "idempotency-key": `"${key}"` });
    const { type } = await response.json();
    assert.deepEqual([response.status, type], [400, "/problems/invalid-key"], key);
  }
  for (const key of ["t/2147483647/1", "t/0/9223372036854775807"]) {
    assert.equal((await classify(ticket, { "idempotency-key": `"${key}"` })).status, 200, key);
  }
});

Deno.test("POST /classify wants one of the tokens", async () => {
  const { classify } = workerApp({ tokens: accessTokens("old,new") });
  for (const authorization of ["Bearer old", "bearer new"]) {
    assert.equal((await classify(TICKET, { authorization })).status, 200);
  }
  for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "Basic old" }]) {
    const response = await classify(TICKET, headers);
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
    assert.deepEqual([response.status, (await read(response)).rule], [401, "misconfigured"]);
  }
});

Deno.test("POST /classify sends a caller on when all permits are taken, and when it drains", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const { classify, readiness } = workerApp({
    concurrency: 1,
    complete: async () => {
      asked.resolve();
      await release.promise;
      return answer("bug");
    },
  });
  const first = classify(TICKET);
  await asked.promise;
  const full = await read(await classify(TICKET));
  assert.deepEqual([full.slug, full.rule], ["replica-full", "replica-full"]);
  readiness.drain();
  const draining = await read(await classify(TICKET));
  assert.deepEqual([draining.slug, draining.rule], ["draining", "replica-full"]);
  release.resolve();
  assert.equal((await first).status, 200);
});

Deno.test("POST /classify tells the consumer whose fault a failure is", async (test) => {
  const llm: readonly (readonly [LlmFailureCause, number, string, string])[] = [
    ["rate_limited", 429, "rate-limited", "rate-limited"],
    ["refused", 403, "provider-refused", "misconfigured"],
    ["no_model", 403, "provider-refused", "misconfigured"],
    ["over_budget", 429, "budget-spent", "rate-limited"],
    ["too_long", 413, "ticket-too-long", "rejected"],
    ["content_refused", 422, "content-refused", "rejected"],
    ["unavailable", 502, "provider-failed", "failed"],
    ["timeout", 504, "provider-timeout", "failed"],
    ["aborted", 408, "caller-gone", "failed"],
  ];
  for (const [cause, status, slug, rule] of llm) {
    await test.step(`the LLM: ${cause}`, async () => {
      const { classify, tables } = workerApp({
        complete: () =>
          Promise.resolve({ kind: "failed", cause, detail: "why", headers: { "retry-after": "7" } }),
      });
      tables.tickets.set("17", { category: null, classifiedAtMs: null });
      const seen = await read(await classify({ ...TICKET, ticket_id: 17 }));
      assert.deepEqual([seen.status, seen.slug, seen.rule], [status, slug, rule]);
      assert.equal(tables.labels.size, 0, "the claim is given back");
    });
  }
  const store: readonly (readonly [StoreFailureCause, number, string])[] = [
    ["unreachable", 503, "database-unreachable"],
    ["read_only", 503, "database-unreachable"],
    ["busy", 503, "database-unreachable"],
    ["misconfigured", 500, "database-misconfigured"],
    ["unexpected", 500, "internal-error"],
  ];
  for (const [cause, status, slug] of store) {
    await test.step(`the database: ${cause}`, async () => {
      const { classify, tables } = workerApp();
      tables.failure = { kind: "failed", cause, detail: "why" };
      const seen = await read(await classify({ ...TICKET, ticket_id: 17 }));
      assert.deepEqual([seen.status, seen.slug, seen.rule], [status, slug, "failed"]);
    });
  }
  await test.step("a ticket without a row", async () => {
    const seen = await read(await workerApp().classify({ ...TICKET, ticket_id: 17 }));
    assert.deepEqual([seen.status, seen.rule], [404, "ticket-not-found"]);
  });
});

Deno.test("POST /classify passes the provider's Retry-After and rate-limit headers on", async () => {
  const headers = { "retry-after": "7", "x-ratelimit-remaining-requests": "0" };
  const { classify } = workerApp({
    complete: () => Promise.resolve({ kind: "failed", cause: "rate_limited", detail: "slow down", headers }),
  });
  const response = await classify(TICKET);
  assert.equal(response.headers.get("retry-after"), "7");
  assert.equal(response.headers.get("x-ratelimit-remaining-requests"), "0");
});

Deno.test("POST /classify repairs an unusable completion once", async (test) => {
  const scripted = (...contents: string[]) =>
    workerApp({ complete: () => Promise.resolve(answer(contents.shift() ?? "")) });
  await test.step("and pays for both", async () => {
    const { classify, prompts } = scripted("I cannot do that.", "Bug.");
    const body = await (await classify(TICKET)).json();
    assert.deepEqual([body.category, body.tokens], ["bug", { input: 20, output: 10 }]);
    assert.match(prompts[1]?.user ?? "", /^<ticket>\n.*\n<\/ticket>\n\nYour previous answer/);
  });
  await test.step("and gives up after it", async () => {
    const { classify, prompts } = scripted("no", "never", "bug");
    const seen = await read(await classify(TICKET));
    assert.deepEqual([seen.status, seen.slug, prompts.length], [502, "unusable-completion", 2]);
  });
});

Deno.test("POST /classify aborts the call of a caller that goes away, unless it has a key", async (test) => {
  for (const keyed of [false, true]) {
    await test.step(keyed ? "with a key" : "without", async () => {
      const caller = new AbortController();
      const asked = Promise.withResolvers<AbortSignal | undefined>();
      const { app, tables } = workerApp({
        complete: (_, signal) => {
          asked.resolve(signal);
          return Promise.resolve(answer("bug"));
        },
      });
      tables.tickets.set("17", { category: null, classifiedAtMs: null });
      await app.request("/classify", {
        method: "POST",
        body: JSON.stringify({ ...TICKET, ticket_id: 17 }),
        headers: { "content-type": "application/json", ...(keyed ? { "idempotency-key": '"t/0/1"' } : {}) },
        signal: caller.signal,
      });
      caller.abort();
      assert.equal((await asked.promise)?.aborted, keyed ? undefined : true);
    });
  }
});

Deno.test("POST /classify hides what a bug said from the caller", async () => {
  const { classify } = workerApp({ complete: () => Promise.reject(new Error("secret")) });
  const seen = await read(await classify(TICKET));
  assert.equal(seen.slug, "internal-error");
  assert.ok(!JSON.stringify(seen.body).includes("secret"));
});

Deno.test("POST /classify refuses a record without ticket_id before anything is paid: its label would be thrown away", async () => {
  const { classify, prompts } = workerApp();
  const refused = await classify(TICKET, { "idempotency-key": '"t/0/1"' });
  assert.equal(refused.status, 422);
  assert.equal((await refused.json()).errors[0].pointer, "#/ticket_id");
  assert.equal(prompts.length, 0);
  assert.equal((await classify(TICKET, { "idempotency-key": '"my-own-key"' })).status, 200);
});

Deno.test("POST /classify pays at most TICKET_CALLS_MAX calls for a ticket without a usable answer, then ends it", async () => {
  for (const [ticketCallsMax, statuses] of [[6, [502, 502, 422, 422]], [3, [502, 422, 422]]] as const) {
    const { classify, tables, prompts } = workerApp({
      ticketCallsMax,
      complete: () => Promise.resolve(answer("I would rather not.")),
    });
    tables.tickets.set("17", { category: null, classifiedAtMs: null });
    const post = (headers: Record<string, string> = {}) =>
      classify({ ...TICKET, ticket_id: 17 }, { "idempotency-key": '"support-tickets/0/5"', ...headers });
    const answers = [];
    for (const _ of statuses) answers.push(await read(await post()));
    assert.deepEqual(answers.map(({ status }) => status), statuses);
    assert.equal(prompts.length, ticketCallsMax);
    const last = answers.at(-1);
    assert.deepEqual([last?.slug, last?.rule], ["ticket-calls-spent", "rejected"]);
    assert.match(last?.body.detail, new RegExp(`was paid ${ticketCallsMax} times.*TICKET_CALLS_MAX`));
    // An operator's replay tries anew, within the same bound.
    for (const _ of statuses) await post({ "ackpool-replays": "1" });
    assert.equal(prompts.length, 2 * ticketCallsMax);
  }
});

Deno.test("POST /classify lets people pay no more either, and believes no replay of theirs", async () => {
  const { app, tables, prompts } = workerApp({
    tokens: accessTokens("delivery-token-1", [{ token: "people-token-1", scopes: ["classify"] }]),
    ticketCallsMax: 2,
    complete: () => Promise.resolve(answer("no")),
  });
  tables.tickets.set("17", { category: null, classifiedAtMs: null });
  const statuses = [];
  for (const replays of ["1", "2", "3"]) {
    const response = await app.request("/classify", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "authorization": "Bearer people-token-1",
        "ackpool-replays": replays,
      },
      body: JSON.stringify({ ...TICKET, ticket_id: 17 }),
    });
    statuses.push(response.status);
    await response.body?.cancel();
  }
  assert.deepEqual(statuses, [422, 422, 422]);
  assert.equal(prompts.length, 2);
});
