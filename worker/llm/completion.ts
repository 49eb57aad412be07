// Reads a chat completion that a provider sent. Providers are not taken at their word: every field may be missing.

import type { Completion, LlmFailure } from "../core/llm.ts";
import { protocolFailure } from "./failure.ts";

/** The completion in a 200's body, or why there is none in it. */
export function completionOf(answer: unknown, askedModel: string): Completion | LlmFailure {
  const { choices, usage, model, error } = record(answer);
  const choice = record(Array.isArray(choices) ? choices[0] : undefined);
  const { content, refusal } = record(choice.message);
  if (typeof content !== "string" && typeof refusal !== "string") {
    return protocolFailure(error, choice.finish_reason);
  }
  return {
    kind: "completed",
    content: typeof content === "string" ? content : "",
    tokens: tokensOf(record(choice.logprobs).content),
    model: typeof model === "string" ? model : askedModel,
    inputTokens: count(record(usage).prompt_tokens),
    outputTokens: count(record(usage).completion_tokens),
  };
}

function tokensOf(content: unknown): Completion["tokens"] {
  if (!Array.isArray(content)) return [];
  return content.map(record).map(({ token, logprob }) => ({
    token: typeof token === "string" ? token : "",
    logprob: typeof logprob === "number" ? logprob : NaN,
  }));
}

function record(value: unknown): Partial<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? value : {};
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
