// LLM with its calls, tokens and time counted.

import type { Counter, Histogram } from "prom-client";
import type { Completion, Llm, LlmFailure } from "../core/llm.ts";

/** What is counted. */
export interface LlmMetrics {
  readonly llmCalls: Counter<"result">;
  readonly llmSeconds: Histogram;
  readonly llmTokens: Counter<"direction">;
}

/** Counts every call of `llm`. */
export function measuredLlm(llm: Llm, metrics: LlmMetrics): Llm {
  const count = (answer: Completion | LlmFailure, startMs: number) => {
    metrics.llmSeconds.observe((performance.now() - startMs) / 1000);
    metrics.llmCalls.inc({ result: answer.kind === "failed" ? answer.cause : "completed" });
    if (answer.kind === "failed") return;
    metrics.llmTokens.inc({ direction: "input" }, answer.inputTokens);
    metrics.llmTokens.inc({ direction: "output" }, answer.outputTokens);
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
