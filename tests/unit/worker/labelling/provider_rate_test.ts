import assert from "node:assert/strict";
import { parseTaxonomy } from "../../../../worker/core/taxonomy.ts";
import { promptWriter } from "../../../../worker/core/prompt.ts";
import { openaiLlm } from "../../../../worker/llm/client.ts";
import { ProviderRate } from "../../../../worker/labelling/provider_rate.ts";
import defaultTaxonomy from "../../../../worker/taxonomy.json" with { type: "json" };
import { completion, startStubLlm } from "../../../support/workers/stub_llm.ts";

Deno.test("ProviderRate.take() passes the last report on once, and none that is old", () => {
  let nowMs = 0;
  const reports = new ProviderRate(() => nowMs);
  assert.equal(reports.take(), undefined);
  reports.record({ "x-ratelimit-remaining-requests": "2" });
  reports.record({ "x-ratelimit-remaining-requests": "1" });
  assert.deepEqual(reports.take(), { "x-ratelimit-remaining-requests": "1" });
  assert.equal(reports.take(), undefined);
  reports.record({ "x-ratelimit-remaining-requests": "0" });
  nowMs = 5000;
  assert.equal(reports.take(), undefined);
  reports.record({});
  assert.equal(reports.take(), undefined);
});

Deno.test("openaiLlm() tells what a success says of the provider's rate limit, of the first model alone", async () => {
  const llm = startStubLlm({
    script: (asked, call) => {
      const headers = { "x-ratelimit-remaining-requests": String(call), "set-cookie": "a=b" };
      if (asked.model === "first" && call === 2) return new Response(null, { status: 500, headers });
      const answer = completion(asked);
      return new Response(answer.body, { headers: { ...headers, "content-type": "application/json" } });
    },
  });
  const told: Readonly<Record<string, string>>[] = [];
  try {
    const { complete } = openaiLlm({
      apiKey: undefined,
      baseUrl: llm.baseUrl,
      model: "first",
      fallbackModels: ["second"],
      timeoutMs: 20_000,
    }, { onRateLimit: (headers) => told.push(headers) });
    const prompt = promptWriter(parseTaxonomy(defaultTaxonomy)).write({ subject: "a", body: "b" });
    assert.equal((await complete(prompt, undefined)).kind, "completed");
    assert.equal((await complete(prompt, undefined)).kind, "completed");
    assert.equal(llm.calls(), 3);
    assert.deepEqual(told, [{ "x-ratelimit-remaining-requests": "1" }]);
  } finally {
    await llm.stop();
  }
});
