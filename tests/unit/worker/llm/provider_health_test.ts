// Tests of how a provider's health is judged: by chat calls before any list of models.

import assert from "node:assert/strict";
import { openaiLlm } from "../../../../worker/llm/client.ts";
import { bodyResponse, startScriptedProvider } from "../../../support/workers/scripted_provider.ts";

const PROMPT = { system: "s", user: "u", schemaName: "n", schema: {}, answers: 1 };
const CONFIG = { apiKey: "k", model: "m", timeoutMs: 20_000 };

Deno.test("check() says ready where the list of models is refused and chat works, after one tiny completion", async () => {
  for (const status of [400, 401, 403, 404, 405, 429, 500, 501]) {
    await using provider = startScriptedProvider({
      models: () => bodyResponse({ error: { message: "no" } }, status),
    });
    const billed: number[] = [];
    const llm = openaiLlm({ ...CONFIG, baseUrl: provider.baseUrl }, {
      onBilled: ({ inputTokens }) => billed.push(inputTokens),
    });
    assert.equal(await llm.check(), undefined, `${status}`);
    assert.equal(await llm.check(), undefined, `${status}`);
    assert.deepEqual([provider.requests.length, billed], [1, [400]], `${status}`);
  }
});

Deno.test("check() asks for no completion where models are listed, or chat has worked", async () => {
  await using listed = startScriptedProvider({});
  assert.equal(await openaiLlm({ ...CONFIG, baseUrl: listed.baseUrl }).check(), undefined);
  assert.equal(listed.requests.length, 0);
  await using unlisted = startScriptedProvider({ models: () => bodyResponse("no", 501) });
  const llm = openaiLlm({ ...CONFIG, baseUrl: unlisted.baseUrl });
  await llm.complete(PROMPT, undefined);
  assert.equal(await llm.check(), undefined);
  assert.equal(unlisted.requests.length, 1);
});

Deno.test("check() follows what chat says: not ready while it fails, though models are listed, and healed by itself", async () => {
  let refuses = true;
  await using provider = startScriptedProvider({
    script: () => refuses ? bodyResponse({ error: { code: "invalid_api_key" } }, 401) : undefined,
  });
  const llm = openaiLlm({ ...CONFIG, baseUrl: provider.baseUrl });
  assert.equal(await llm.check(), undefined, "nothing is known yet");
  await llm.complete(PROMPT, undefined);
  assert.equal((await llm.check())?.cause, "refused");
  refuses = false;
  assert.equal(await llm.check(), undefined);
});

Deno.test("check() blames the provider for no single request", async () => {
  await using provider = startScriptedProvider({
    script: (_, call) => bodyResponse({ error: { message: "x" } }, call === 1 ? 413 : 429),
  });
  const llm = openaiLlm({ ...CONFIG, baseUrl: provider.baseUrl });
  assert.equal((await llm.complete(PROMPT, undefined)).kind, "failed");
  assert.equal((await llm.complete(PROMPT, undefined)).kind, "failed");
  assert.equal(await llm.check(), undefined);
  assert.equal(provider.requests.length, 2);
});

Deno.test("check() tells once until when there is a model, whatever the list calls it", async () => {
  const fields = [
    { shutdown_date: "2027-01-14" },
    { shutdown_date: 1_799_884_800 },
    { deprecation_date: "2027-01-14T00:00:00Z" },
    { retirement_date: 1_799_884_800_000 },
  ];
  for (const field of fields) {
    const data = [{ id: "other", shutdown_date: "2026-12-01" }, { id: "m", ...field }];
    await using provider = startScriptedProvider({ models: () => Response.json({ object: "list", data }) });
    const told: unknown[] = [];
    const llm = openaiLlm({ ...CONFIG, baseUrl: provider.baseUrl }, {
      onShutdown: (shutdown) => told.push(shutdown),
    });
    await llm.check();
    await llm.check();
    assert.deepEqual(told, [{ model: "m", at: "2027-01-14T00:00:00.000Z" }], JSON.stringify(field));
  }
});

Deno.test("check() takes a provider that limits the rate for one that is there, also after an outage", async () => {
  let status = 503;
  await using provider = startScriptedProvider({
    script: () => bodyResponse({ error: { message: "x" } }, status),
  });
  const llm = openaiLlm({ ...CONFIG, baseUrl: provider.baseUrl });
  await llm.complete(PROMPT, undefined);
  assert.equal((await llm.check())?.cause, "unavailable");
  status = 429;
  assert.equal(await llm.check(), undefined);
});
