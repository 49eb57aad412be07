// The LLM through the openai SDK: one call, its time limit, and what the provider can do.

import OpenAI from "openai";
import type { Completion, Llm, LlmFailure } from "../core/llm.ts";
import type { Prompt } from "../core/prompt.ts";
import { completionOf } from "./completion.ts";
import { boundedFetch } from "./bounded_fetch.ts";
import { failureOf, rateLimitHeaders, unsupportedFeature } from "./failure.ts";

/** How the provider is reached. */
export interface LlmConfig {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly model: string;
  /** Asked in turn when the model before failed. */
  readonly fallbackModels?: readonly string[];
  /** For one request, all models together. */
  readonly timeoutMs: number;
  /** Told what every answer of the first model says of the provider's rate limit. */
  readonly onRateLimit?: (headers: Readonly<Record<string, string>>) => void;
}

/** Largest answer that is read, in bytes. A label takes a few hundred. */
const ANSWER_BYTES_MAX = 1_048_576;
const ANSWER_TOKENS_MAX = 300;
const CHECK_TIMEOUT_MS = 3_000;
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

/** What is asked of a model beyond plain chat; a feature it rejects is not asked for again. */
interface Features {
  schema: boolean;
  logprobs: boolean;
}

/** A model and what it is known to take. */
interface Model {
  readonly name: string;
  readonly features: Features;
  /** Hears what an answer says of the rate limit. */
  readonly onRateLimit: ((headers: Readonly<Record<string, string>>) => void) | undefined;
}

type Body = OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming;

/** An {@link Llm} that never repeats a call by itself: the consumer does. */
export function openaiLlm(config: LlmConfig): Llm {
  const client = new OpenAI({
    // A provider without keys (a local model) still gets a header, which it ignores.
    apiKey: config.apiKey ?? "none",
    baseURL: config.baseUrl ?? "https://api.openai.com/v1",
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: config.timeoutMs,
    logLevel: "off",
    defaultHeaders: Object.fromEntries(SDK_TELEMETRY_HEADERS.map((name) => [`x-stainless-${name}`, null])),
    fetch: boundedFetch(ANSWER_BYTES_MAX),
  });
  const models = [config.model, ...(config.fallbackModels ?? [])].map((name, index) => ({
    name,
    features: { schema: true, logprobs: true },
    // Every model has a rate of its own; the pool is about the one that is asked first.
    onRateLimit: index === 0 ? config.onRateLimit : undefined,
  }));
  return {
    model: config.model,
    complete: (prompt, signal) => completeByAny(client, models, config.timeoutMs, prompt, signal),
    check: () => check(client),
  };
}

/** Every model gets an equal share of the time that is left, so that a hanging one leaves some for the next. */
async function completeByAny(
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
    const answer = await complete(client, model, Math.ceil(leftMs / (models.length - at)), prompt, caller);
    if (answer.kind === "completed" || !mayFallBack(answer)) return answer;
    failure ??= answer;
  }
  // The first model's failure is the one an operator knows how to read.
  return failure ?? { kind: "failed", cause: "unavailable", detail: "No model is configured", headers: {} };
}

function mayFallBack({ cause }: LlmFailure): boolean {
  return cause === "unavailable" || cause === "timeout" || cause === "rate_limited" || cause === "no_model";
}

async function complete(
  client: OpenAI,
  model: Model,
  timeoutMs: number,
  prompt: Prompt,
  caller: AbortSignal | undefined,
): Promise<Completion | LlmFailure> {
  // With no signal of the caller's own nothing has to be listened to. The SDK's time limit covers the body too.
  const options = { timeout: timeoutMs, ...(caller === undefined ? {} : { signal: caller }) };
  try {
    const asking = client.chat.completions.create(requestBody(model, prompt), options);
    const { data, response } = await asking.withResponse();
    model.onRateLimit?.(rateLimitHeaders(response.headers));
    return completionOf(data, model.name);
  } catch (error) {
    if (caller?.aborted) {
      return { kind: "failed", cause: "aborted", detail: "The caller went away", headers: {} };
    }
    const unsupported = unsupportedFeature(error);
    if (unsupported === undefined || !model.features[unsupported]) {
      return failureOf(error, timeoutMs, hostOf(client));
    }
    model.features[unsupported] = false;
    return await complete(client, model, timeoutMs, prompt, caller);
  }
}

function requestBody({ name, features }: Model, { system, user, schema, schemaName, answers }: Prompt): Body {
  return {
    model: name,
    messages: [{ role: "system", content: system }, { role: "user", content: user }],
    temperature: 0,
    max_tokens: ANSWER_TOKENS_MAX * answers,
    ...(features.logprobs ? { logprobs: true, top_logprobs: 5 } : {}),
    ...(features.schema
      ? {
        response_format: {
          type: "json_schema",
          json_schema: { name: schemaName, strict: true, schema: { ...schema } },
        },
      }
      : {}),
  };
}

async function check(client: OpenAI): Promise<LlmFailure | undefined> {
  try {
    await client.models.list({ timeout: CHECK_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    // Not every provider lists its models; one that says so is there.
    if (error instanceof OpenAI.APIError && (error.status === 404 || error.status === 405)) return undefined;
    return failureOf(error, CHECK_TIMEOUT_MS, hostOf(client));
  }
}

function hostOf({ baseURL }: OpenAI): string {
  return URL.canParse(baseURL) ? new URL(baseURL).host : baseURL;
}
