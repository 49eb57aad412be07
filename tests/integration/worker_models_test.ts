// A worker process beside a model that takes less than is asked of it: what it learns is told once, and shown.

import assert from "node:assert/strict";
import { FAMILIES } from "../support/workers/provider_families.ts";
import { startScriptedProvider } from "../support/workers/scripted_provider.ts";
import { startWorker } from "../support/processes/worker_process.ts";
import { until } from "../support/until.ts";

const TICKET = { subject: "Invoice", body: "I was charged twice" };
const NOWHERE = "postgres://nobody@127.0.0.1:1/none";

Deno.test("a worker tells once what its model does not take, and shows it on /readyz?verbose", async () => {
  const family = FAMILIES.find(({ name }) => name === "OpenAI 5");
  assert.ok(family !== undefined);
  await using provider = startScriptedProvider(family);
  await using worker = await startWorker({
    DATABASE_URL: NOWHERE,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_MODEL: family.model,
  });
  for (let ticket = 0; ticket < 3; ticket++) {
    assert.deepEqual((await (await worker.classify(TICKET)).json()).category, "billing");
  }
  const told = () => worker.child.lines.filter(({ fields }) => fields.message === "learnt");
  await until("three lessons", () => told().length >= 3);
  assert.deepEqual(
    Object.fromEntries(told().map(({ fields }) => [fields.feature, fields.asks])),
    family.learns,
  );
  assert.equal(told().length, 3);
  const { models } = await (await fetch(`${worker.url}/readyz?verbose`)).json();
  assert.deepEqual(
    Object.fromEntries(models.map(({ feature, asks }: Record<string, string>) => [feature, asks])),
    family.learns,
  );
  assert.equal((await (await fetch(`${worker.url}/readyz`)).json()).models, undefined);
});

Deno.test("a worker tells from its start when its model goes away, and exports it", async () => {
  const data = [{ id: "old-model", shutdown_date: "2027-01-14" }];
  await using provider = startScriptedProvider({ models: () => Response.json({ object: "list", data }) });
  await using worker = await startWorker({
    DATABASE_URL: NOWHERE,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_MODEL: "old-model",
  });
  const { fields } = await worker.child.waitForLine(({ fields }) => fields.message === "model goes away");
  assert.deepEqual([fields.model, fields.at], ["old-model", "2027-01-14T00:00:00.000Z"]);
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  assert.match(metrics, /^ackpool_worker_model_shutdown_timestamp_seconds\{model="old-model"\} 1799884800$/m);
});

Deno.test("a ticket whose content the provider refuses is answered 422 with the reason", async () => {
  const error = { code: "content_filter", message: "The response was filtered" };
  await using provider = startScriptedProvider({ script: () => Response.json({ error }, { status: 400 }) });
  await using worker = await startWorker({ DATABASE_URL: NOWHERE, OPENAI_BASE_URL: provider.baseUrl });
  const response = await worker.classify(TICKET);
  const { type, detail } = await response.json();
  assert.deepEqual([response.status, type], [422, "/problems/content-refused"]);
  assert.match(detail, /content_filter/);
});
