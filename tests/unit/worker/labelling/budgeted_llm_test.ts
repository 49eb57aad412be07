// Tests that all that is billed counts against the day's budget, told by the provider or not.

import assert from "node:assert/strict";
import { budgetedLlm, spend } from "../../../../worker/labelling/budgeted_llm.ts";
import type { Usage } from "../../../../worker/core/llm.ts";
import { openaiLlm } from "../../../../worker/llm/client.ts";
import { type ScriptedOptions, startScriptedProvider } from "../../../support/workers/scripted_provider.ts";

const PRICES = [{ model: "m", inputUsd: 1, outputUsd: 10 }];
const PROMPT = { system: "s".repeat(4_000), user: "u", schemaName: "n", schema: {}, answers: 1 };

/** Calls until the budget of so many tokens is reached, at most 20. */
async function callsUntilReached(tokensMax: number, options: ScriptedOptions): Promise<number> {
  await using provider = startScriptedProvider({ model: "m", ...options });
  let tokens = 0;
  const ledger = {
    add: ({ inputTokens, outputTokens }: Usage) => void (tokens += inputTokens + outputTokens),
    reached: () => tokens >= tokensMax ? "TOKENS_PER_DAY is reached" : undefined,
  };
  const llm = budgetedLlm(
    openaiLlm({ apiKey: "k", baseUrl: provider.baseUrl, model: "m", timeoutMs: 20_000 }, {
      onBilled: (usage) => spend(ledger, PRICES, usage),
    }),
    ledger,
    PRICES,
    () => 0,
  );
  for (let calls = 0; calls < 20; calls++) {
    const answer = await llm.complete(PROMPT, undefined);
    if (answer.kind === "failed" && answer.cause === "over_budget") return calls;
  }
  return 20;
}

Deno.test("budgetedLlm() holds where a provider tells no usage: tokens are estimated from the texts", async () => {
  assert.equal(await callsUntilReached(5_000, { tellsNoUsage: true }), 5);
});

Deno.test("budgetedLlm() counts answers that were billed and came to nothing", async () => {
  const empty = (usage: unknown) => () =>
    Response.json({ choices: [{ finish_reason: "stop", message: { content: null } }], usage });
  assert.equal(
    await callsUntilReached(5_000, { script: empty({ prompt_tokens: 990, completion_tokens: 10 }) }),
    5,
  );
  assert.equal(await callsUntilReached(5_000, { script: empty(undefined) }), 5, "estimated");
  const failedLate = () =>
    Response.json({
      error: { code: 502 },
      choices: [],
      usage: { prompt_tokens: 990, completion_tokens: 10 },
    });
  assert.equal(await callsUntilReached(5_000, { script: failedLate }), 5, "an error that was billed");
});

Deno.test("budgetedLlm() counts no refusal that costs nothing", async () => {
  assert.equal(
    await callsUntilReached(1, { script: () => Response.json({ error: {} }, { status: 500 }) }),
    20,
  );
});
