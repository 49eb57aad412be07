// Tests of what a completion costs and how much may be spent in a day.

import assert from "node:assert/strict";
import { budgetReached, costUsd, dayOf, untilTomorrowMs } from "../../../../worker/core/budget.ts";
import { budgetedLlm } from "../../../../worker/labelling/budgeted_llm.ts";
import type { Llm, Usage } from "../../../../worker/core/llm.ts";
import { knownPrices } from "../../../../worker/core/prices.ts";
import table from "../../../../worker/core/prices.json" with { type: "json" };
import { answer } from "../../../support/workers/worker_app.ts";

const NOON = Date.parse("2026-11-21T12:00:00Z");
const PRICES = [
  { model: "gpt-4o", inputUsd: 2.5, outputUsd: 10 },
  { model: "gpt-4o-mini", inputUsd: 0.15, outputUsd: 0.6 },
];

Deno.test("costUsd() takes the longest name that the model begins with", () => {
  const usd = (model: string, inputTokens: number, outputTokens: number) =>
    costUsd(PRICES, { model, inputTokens, outputTokens });
  assert.equal(usd("gpt-4o-mini-2024-07-18", 1_000_000, 1_000_000), 0.75);
  assert.equal(usd("gpt-4o-2024-11-20", 1_000_000, 0), 2.5);
  assert.equal(usd("local", 1, 1), null);
});

Deno.test("costUsd() has a price of its own for input out of the provider's cache", () => {
  const usage = { inputTokens: 1_000_000, cachedTokens: 900_000, outputTokens: 1_000_000 };
  const usd = costUsd(knownPrices(), { ...usage, model: "gpt-6-luna" }) ?? 0;
  assert.ok(Math.abs(usd - (0.1 * 0.1 + 0.9 * 0.01 + 0.5)) < 1e-12, `${usd}`);
  assert.equal(costUsd(PRICES, { ...usage, model: "gpt-4o-mini" }), 0.75, "no such price: full price");
});

Deno.test("knownPrices() puts one's own prices before those of the table, which has its date", () => {
  const own = [{ model: "gpt-6-luna", inputUsd: 7, outputUsd: 0 }];
  assert.equal(costUsd(knownPrices(own), { model: "gpt-6-luna", inputTokens: 1e6, outputTokens: 0 }), 7);
  assert.match(table.asOf, /^\d{4}-\d\d-\d\d$/);
});

Deno.test("budgetReached() names the limit that is reached", () => {
  const budget = { tokensPerDay: 100, usdPerDay: 1 };
  const spend = (tokens: number, usd: number) => budgetReached(budget, { day: "2026-11-21", tokens, usd });
  assert.equal(spend(99, 0.99), undefined);
  assert.match(spend(100, 0) ?? "", /TOKENS_PER_DAY.*100 of 100/);
  assert.match(spend(0, 1) ?? "", /USD_PER_DAY.*1\.0000 of 1/);
  const none = { tokensPerDay: undefined, usdPerDay: undefined };
  assert.equal(budgetReached(none, { day: "2026-11-21", tokens: 1e12, usd: 1e9 }), undefined);
});

Deno.test("dayOf() and untilTomorrowMs() count days in UTC", () => {
  assert.equal(dayOf(NOON), "2026-11-21");
  assert.equal(untilTomorrowMs(NOON), 12 * 3_600_000);
});

Deno.test("budgetedLlm() notes what is spent and asks nobody once the budget is reached", async () => {
  let calls = 0;
  let tokens = 0;
  let usd = 0;
  const llm: Llm = {
    model: "gpt-4o-mini",
    complete: () => {
      calls++;
      return Promise.resolve(answer("bug", { model: "gpt-4o-mini", inputTokens: 60, outputTokens: 40 }));
    },
    check: () => Promise.resolve(undefined),
  };
  const ledger = {
    add: (usage: Usage, addedUsd: number | null) => {
      tokens += usage.inputTokens + usage.outputTokens;
      usd += addedUsd ?? 0;
    },
    reached: () => tokens >= 100 ? "TOKENS_PER_DAY is reached" : undefined,
  };
  const budgeted = budgetedLlm(llm, ledger, PRICES, () => NOON);
  const prompt = { system: "", user: "", schemaName: "", schema: {}, answers: 1 };
  assert.equal((await budgeted.complete(prompt, undefined)).kind, "completed");
  assert.ok(Math.abs(usd - (60 * 0.15 + 40 * 0.6) / 1e6) < 1e-12);
  assert.deepEqual(await budgeted.complete(prompt, undefined), {
    kind: "failed",
    cause: "over_budget",
    detail: "TOKENS_PER_DAY is reached",
    headers: { "retry-after": "43200" },
  });
  assert.equal(calls, 1);
});
