// LLM with its calls, tokens and time counted.

import type { Counter, Histogram } from "prom-client";
import type { Completion, Llm, LlmFailure, Usage } from "../core/llm.ts";

/** What is counted. */
export interface LlmMetrics {
  readonly llmCalls: Counter<"result">;
  readonly llmSeconds: Histogram;
  readonly llmTokens: Counter<"direction">;
  readonly llmTokensEstimated: Counter;
  readonly llmCost: Counter<"model">;
}

/** Counts every call of `llm`. */
export function measuredLlm(llm: Llm, metrics: LlmMetrics): Llm {
  const count = (answer: Completion | LlmFailure, startMs: number) => {
    metrics.llmSeconds.observe((performance.now() - startMs) / 1000);
    metrics.llmCalls.inc({ result: answer.kind === "failed" ? answer.cause : "completed" });
    if (answer.kind === "completed") countTokens(metrics, answer);
  };
  return {
    model: llm.model,
    check: llm.check,
    complete: async (prompt, signal) => {
      const startMs = performance.now();
      const answer = await llm.complete(prompt, signal);
      count(answer, startMs);
      return answer;
    },
  };
}

/** Counts what a call cost, under the name of the model that was asked for, of which there are few. */
export function countCost(
  { llmCost }: Pick<LlmMetrics, "llmCost">,
  { model, askedModel }: Usage,
  usd: number | null,
): void {
  if (usd !== null) llmCost.inc({ model: askedModel ?? model }, usd);
}

/** Counts tokens that were billed. */
export function countTokens(
  metrics: Pick<LlmMetrics, "llmTokens" | "llmTokensEstimated">,
  usage: Usage,
): void {
  const { inputTokens, outputTokens, estimated = false } = usage;
  metrics.llmTokens.inc({ direction: "input" }, inputTokens);
  metrics.llmTokens.inc({ direction: "output" }, outputTokens);
  if (estimated) metrics.llmTokensEstimated.inc(inputTokens + outputTokens);
}
