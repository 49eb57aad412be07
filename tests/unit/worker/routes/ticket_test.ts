// Tests of the routes that people use: a ticket's label, its override, the review list, and batches.

import assert from "node:assert/strict";
import { answer, workerApp } from "../../../support/workers/worker_app.ts";

const TICKET = { subject: "Invoice", body: "I was charged twice" };
const UNSURE = answer('{"category":"bug"}', {
  tokens: [{ token: '{"category":"', logprob: 0 }, { token: "bug", logprob: Math.log(0.4) }, {
    token: '"}',
    logprob: 0,
  }],
});

async function classified() {
  const worker = workerApp({ complete: () => Promise.resolve(UNSURE) });
  worker.tables.tickets.set("17", { category: null, classifiedAtMs: null });
  await worker.classify({ ...TICKET, ticket_id: 17 });
  const put = async (body: unknown, id = "17") =>
    await worker.app.request(`/tickets/${id}/label`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const get = async (path: string) => await (await worker.app.request(path)).json();
  return { ...worker, put, get };
}

Deno.test("GET /review lists an uncertain label, and an override closes it", async () => {
  const { get, put, classify, app } = await classified();
  const before = await get("/review");
  assert.deepEqual([before.below, before.tickets.map((each: { ticket_id: string }) => each.ticket_id)], [
    0.7,
    ["17"],
  ]);
  assert.deepEqual((await get("/review?below=0.3")).tickets, []);
  const overridden = await put({ category: "billing", by: "ada", reason: "It is about money" });
  assert.deepEqual([overridden.status, await overridden.json()], [200, {
    ticket_id: "17",
    category: "billing",
    overridden_by: "ada",
    model_category: "bug",
  }]);
  assert.deepEqual((await get("/review")).tickets, []);
  const again = await (await classify({ ...TICKET, ticket_id: 17, body: "other content" })).json();
  assert.deepEqual([again.outcome, again.category, again.paid], ["overridden", "billing", null]);
  const metrics = await (await app.request("/metrics")).text();
  assert.match(metrics, /^ackpool_worker_reviewed_total\{category="bug",right="false"\} 1$/m);
});

Deno.test("GET /review refuses a threshold or a limit that is none", async () => {
  const { app } = workerApp();
  for (const query of ["below=2", "below=x", "below=", "limit=0", "limit=1.5"]) {
    assert.equal((await app.request(`/review?${query}`)).status, 422, query);
  }
});

Deno.test("GET /tickets/{id} shows the label a ticket carries", async () => {
  const { get, app } = await classified();
  const record = await get("/tickets/17");
  assert.deepEqual([record.category, record.confidence, record.model], ["bug", 0.4, "stub"]);
  const missing = await app.request("/tickets/18");
  assert.deepEqual([missing.status, (await missing.json()).type], [404, "/problems/ticket-not-found"]);
});

Deno.test("PUT /tickets/{id}/label wants a label of the taxonomy, a name, and a ticket", async () => {
  const { put } = await classified();
  assert.equal((await put({ category: "refund", by: "ada" })).status, 422);
  assert.equal((await put({ category: "bug" })).status, 422);
  assert.equal((await put({ category: "bug", by: "a\u0000" })).status, 422);
  assert.equal((await put({ category: "bug", by: "ada" }, "18")).status, 404);
});

Deno.test("POST /classify/batch answers a status for each ticket, in order", async () => {
  const { app, tables } = workerApp({ concurrency: 2 });
  tables.tickets.set("1", { category: null, classifiedAtMs: null });
  const response = await app.request("/classify/batch", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ tickets: [{ ...TICKET, ticket_id: 1 }, { ...TICKET, ticket_id: 2 }, TICKET] }),
  });
  const { results } = await response.json();
  assert.deepEqual(results.map(({ status }: { status: number }) => status), [200, 404, 200]);
  assert.equal(results[0].label.ticket_id, 1);
  assert.equal(results[1].problem.type, "/problems/ticket-not-found");
});

Deno.test("POST /classify/batch never uses more permits than there are and gives them all back", async () => {
  let running = 0;
  let most = 0;
  const { app, permits } = workerApp({
    concurrency: 3,
    maxBodyBytes: 100_000,
    complete: async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return answer("bug");
    },
  });
  const tickets = Array.from({ length: 50 }, () => TICKET);
  const send = (body: unknown) =>
    app.request("/classify/batch", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const { results } = await (await send({ tickets })).json();
  assert.deepEqual([results.length, most <= 3, permits.inFlight], [50, true, 0]);
  assert.equal((await send({ tickets: [] })).status, 422);
  assert.equal((await send({ tickets: Array(101).fill(TICKET) })).status, 422);
});
