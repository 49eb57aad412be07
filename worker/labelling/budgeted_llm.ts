// LLM within a budget: notes what each call costs and asks no more once the day's budget is spent.

import type { ModelPrice } from "../../shared/config/schemas.ts";
import { costUsd, untilTomorrowMs } from "../core/budget.ts";
import type { Llm, LlmFailure, Usage } from "../core/llm.ts";

/** Where spending is noted. */
export interface Ledger {
  readonly add: (usage: Usage, usd: number | null) => void;
  /** Which limit has been reached, in words. */
  readonly reached: () => string | undefined;
}

/** Notes what each call costs; asks no more once the day's budget is spent. */
export function budgetedLlm(
  llm: Llm,
  ledger: Ledger,
  prices: readonly ModelPrice[],
  nowMs: () => number,
): Llm {
  return {
    ...llm,
    complete: async (prompt, signal) => {
      const reached = ledger.reached();
      if (reached !== undefined) return overBudget(reached, nowMs());
      const answer = await llm.complete(prompt, signal);
      if (answer.kind === "completed") {
        spend(ledger, prices, answer);
      }
      return answer;
    },
  };
}

/** Notes what was billed. */
export function spend(ledger: Pick<Ledger, "add">, prices: readonly ModelPrice[], usage: Usage): void {
  ledger.add(usage, costUsd(prices, usage));
}

function overBudget(detail: string, nowMs: number): LlmFailure {
  const retryAfter = String(Math.ceil(untilTomorrowMs(nowMs) / 1_000));
  return { kind: "failed", cause: "over_budget", detail, headers: { "retry-after": retryAfter } };
}
