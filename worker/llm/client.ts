// LLM through the openai SDK: asks the configured models in turn, within one time limit.

import OpenAI from "openai";
import type { Completion, Lesson, Llm, LlmFailure, Usage } from "../core/llm.ts";
import type { Prompt } from "../core/prompt.ts";
import { Secrets } from "./secrets.ts";
import { monotonicMs } from "../../shared/clock.ts";
import { boundedFetch } from "./bounded_fetch.ts";
import { LearntFeatures } from "./learnt_features.ts";
import { callModel, type Model } from "./model_call.ts";
import { tracedCall } from "../../shared/tracing/traced_call.ts";
import { ProviderWords } from "./provider_words.ts";
import { type ModelShutdown, ProviderHealth } from "./provider_health.ts";

/** How the provider is reached. */
export interface LlmConfig {
  readonly apiKey: string | undefined;
  /** What no answer may repeat, besides the key. */
  readonly secrets?: readonly (string | undefined)[];
  readonly baseUrl: string | undefined;
  readonly model: string;
  /** Asked in turn when the model before failed. */
  readonly fallbackModels?: readonly string[];
  /** For one request, all models together. */
  readonly timeoutMs: number;
}

/** What callers may want to know besides the answers. */
export interface LlmEvents {
  /** What every answer of the first model says of the provider's rate limit. */
  readonly onRateLimit?: (headers: Readonly<Record<string, string>>) => void;
  /** Tokens that are billed although no completion carries them: an answer cut off, a question about health. */
  readonly onBilled?: (usage: Usage) => void;
  /** A provider turned out to refuse a feature, or to take it again; called once each time. */
  readonly onLesson?: (lesson: Lesson) => void;
  /** A model goes away; called once for each date. */
  readonly onShutdown?: (shutdown: ModelShutdown) => void;
  /** In ms, a clock that never jumps. */
  readonly nowMs?: () => number;
}

/** An {@link Llm}, and what it learnt of its models. */
export interface OpenaiLlm extends Llm {
  readonly lessons: () => readonly Lesson[];
}

/** Largest answer that is read, in bytes. A label takes a few hundred. */
const ANSWER_BYTES_MAX = 1_048_576;
const CHECK_TIMEOUT_MS = 10_000;
/** The question that shows whether a model answers at all. */
export const TINY_PROMPT: Prompt = {
  system: "You are asked whether you are there. Answer in JSON.",
  user: 'Answer {"ready": true}',
  schemaName: "readiness",
  schema: {
    type: "object",
    properties: { ready: { type: "boolean" } },
    required: ["ready"],
    additionalProperties: false,
  },
  answers: 1,
};
/** Headers in which the SDK describes itself and this machine: no provider needs them, and they are a fifth of a call's cost. */
const SDK_TELEMETRY_HEADERS = [
  "lang",
  "package-version",
  "os",
  "arch",
  "runtime",
  "runtime-version",
  "retry-count",
  "timeout",
];

/** An {@link Llm} that repeats no call by itself, but without what a provider refuses: the consumer does the rest. */
export function openaiLlm(config: LlmConfig, events: LlmEvents = {}): OpenaiLlm {
  const client = clientOf(config);
  const words = new ProviderWords(new Secrets([config.apiKey, ...config.secrets ?? []]));
  const onBilled = (usage: Usage) => events.onBilled?.(words.usage(usage));
  const models = [config.model, ...(config.fallbackModels ?? [])].map((name, index): Model => ({
    name,
    learnt: new LearntFeatures(
      name,
      events.nowMs ?? monotonicMs,
      (lesson) => events.onLesson?.(words.lesson(lesson)),
    ),
    // Every model has a rate of its own; the pool is about the one that is asked first.
    onRateLimit: index === 0 ? (headers) => events.onRateLimit?.(words.headers(headers)) : undefined,
    onBilled,
  }));
  const health = new ProviderHealth({
    client,
    models: models.map(({ name }) => name),
    chat: async () => {
      const answer = await callAny(client, models, CHECK_TIMEOUT_MS, TINY_PROMPT, undefined);
      if (answer.kind === "completed") onBilled(answer);
      return answer;
    },
    onShutdown: events.onShutdown,
  });
  return {
    model: config.model,
    complete: async (prompt, signal) => {
      const answer = await callAny(client, models, config.timeoutMs, prompt, signal);
      health.record(answer);
      return words.answer(answer);
    },
    check: async () => {
      const failure = await health.check();
      return failure && words.failure(failure);
    },
    lessons: () => models.flatMap(({ learnt }) => learnt.lessons.map((lesson) => words.lesson(lesson))),
  };
}

function clientOf({ apiKey, baseUrl, timeoutMs }: LlmConfig): OpenAI {
  return new OpenAI({
    // A provider without keys (a local model) still gets a header, which it ignores.
    apiKey: apiKey ?? "none",
    baseURL: baseUrl ?? "https://api.openai.com/v1",
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: "off",
    defaultHeaders: Object.fromEntries(SDK_TELEMETRY_HEADERS.map((name) => [`x-stainless-${name}`, null])),
    fetch: boundedFetch(ANSWER_BYTES_MAX),
  });
}

/** Every model gets an equal share of the time that is left, so that a hanging one leaves some for the next. */
async function callAny(
  client: OpenAI,
  models: readonly Model[],
  timeoutMs: number,
  prompt: Prompt,
  caller: AbortSignal | undefined,
): Promise<Completion | LlmFailure> {
  const startMs = performance.now();
  let failure: LlmFailure | undefined;
  for (const [at, model] of models.entries()) {
    const leftMs = Math.max(1, timeoutMs - (performance.now() - startMs));
    const request = { prompt, timeoutMs: Math.ceil(leftMs / (models.length - at)), caller };
    const answer = await tracedCall(model.name, client.baseURL, () => callModel(client, model, request));
    if (answer.kind === "completed" || !mayFallBack(answer)) return answer;
    failure ??= answer;
  }
  // The first model's failure is the one an operator knows how to read.
  return failure ?? { kind: "failed", cause: "unavailable", detail: "No model is configured", headers: {} };
}

function mayFallBack({ cause }: LlmFailure): boolean {
  return cause === "unavailable" || cause === "timeout" || cause === "rate_limited" || cause === "no_model";
}
