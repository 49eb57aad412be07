// The LLM through the openai SDK: one call, its time limit, and what the provider can do.

import OpenAI from "openai";
import type { Completion, Llm, LlmFailure } from "../core/llm.ts";
import type { Prompt } from "../core/prompt.ts";
import { failureOf, protocolFailure, unsupportedFeature } from "./failure.ts";
import { boundedFetch } from "./bounded_fetch.ts";

/** How the provider is reached. */
export interface LlmConfig {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly model: string;
  readonly timeoutMs: number;
}

/** Largest answer that is read, in bytes. A label takes a few hundred. */
const ANSWER_BYTES_MAX = 1_048_576;
const ANSWER_TOKENS_MAX = 300;
const CHECK_TIMEOUT_MS = 5_000;

/** What is asked of the provider beyond plain chat; a feature it rejects is not asked for again. */
interface Features {
  schema: boolean;
  logprobs: boolean;
}

type Body = OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming;

/** An {@link Llm} that never retries by itself: the consumer does. */
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
    fetch: boundedFetch(ANSWER_BYTES_MAX),
  });
  const features: Features = { schema: true, logprobs: true };
  return {
    model: config.model,
    complete: (prompt, signal) => complete(client, config, features, prompt, signal),
    check: () => check(client),
  };
}

async function complete(
  client: OpenAI,
  config: LlmConfig,
  features: Features,
  prompt: Prompt,
  caller: AbortSignal | undefined,
): Promise<Completion | LlmFailure> {
  // The SDK's own limit ends with the headers; this one covers the body too.
  const limit = AbortSignal.timeout(config.timeoutMs);
  const signal = caller === undefined ? limit : AbortSignal.any([limit, caller]);
  try {
    const answer = await client.chat.completions.create(requestBody(config.model, prompt, features), {
      signal,
    });
    return completionOf(answer, config.model);
  } catch (error) {
    if (caller?.aborted) {
      return { kind: "failed", cause: "aborted", detail: "The caller went away", headers: {} };
    }
    const unsupported = limit.aborted ? undefined : unsupportedFeature(error);
    if (unsupported === undefined || !features[unsupported]) {
      return failureOf(error, limit.aborted, config.timeoutMs);
    }
    features[unsupported] = false;
    return await complete(client, config, features, prompt, caller);
  }
}

function requestBody(model: string, { system, user, schema, schemaName }: Prompt, features: Features): Body {
  return {
    model,
    messages: [{ role: "system", content: system }, { role: "user", content: user }],
    temperature: 0,
    max_tokens: ANSWER_TOKENS_MAX,
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

/** Providers are not taken at their word: every field may be missing. */
function completionOf(answer: unknown, model: string): Completion | LlmFailure {
  const { choices, usage, model: answeredBy, error } = record(answer);
  const choice = record(Array.isArray(choices) ? choices[0] : undefined);
  const content = record(choice.message).content;
  const refused = typeof record(choice.message).refusal === "string";
  if (typeof content !== "string" && !refused) return protocolFailure(error, choice.finish_reason);
  return {
    kind: "completed",
    content: typeof content === "string" ? content : "",
    tokens: tokensOf(record(choice.logprobs).content),
    model: typeof answeredBy === "string" ? answeredBy : model,
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

async function check(client: OpenAI): Promise<LlmFailure | undefined> {
  try {
    await client.models.list({ timeout: CHECK_TIMEOUT_MS, signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) });
    return undefined;
  } catch (error) {
    // Not every provider lists its models; one that says so is there.
    if (error instanceof OpenAI.APIError && (error.status === 404 || error.status === 405)) return undefined;
    return failureOf(error, false, CHECK_TIMEOUT_MS);
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
