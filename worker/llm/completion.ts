// Reading of a chat completion that a provider sent. Providers are not taken at their word: every field may be missing,
// and one table says where each finds its text.

import { estimatedTokens } from "../core/excerpt.ts";
import type { Completion, LlmFailure, Usage } from "../core/llm.ts";
import type { Prompt } from "../core/prompt.ts";
import { isContentEnd } from "./error_meanings.ts";
import { emptyFailure } from "./failure.ts";
import { type ProviderError, providerError } from "./provider_error.ts";

/** What a 200 came to. */
export type Answered =
  | { readonly kind: "completed"; readonly completion: Completion; readonly cutOff: boolean }
  | { readonly kind: "error"; readonly error: ProviderError; readonly usage: Usage | undefined }
  /** No answer in it; what it cost is billed all the same. */
  | {
    readonly kind: "empty";
    readonly failure: LlmFailure;
    readonly usage: Usage | undefined;
    readonly cutOff: boolean;
  };

/** Longest name of a model that is believed. */
const MODEL_MAX = 200;
/** Types of a message's parts that are its text. */
const TEXT_PARTS = new Set(["text", "output_text", "undefined"]);

/** The completion in a 200's body, or why there is none in it. */
export function completionOf(
  body: unknown,
  askedModel: string,
  prompt: Prompt,
  headers?: Headers,
): Answered {
  const answer = typeof body === "string" ? parsed(body) : body;
  const { choices, usage, model, error } = record(answer);
  const choice = record(Array.isArray(choices) ? choices[0] : undefined);
  const message = record(choice.message);
  const content = contentOf(message, choice);
  const named = nameOf(model) ?? askedModel;
  const billed = {
    ...usageOf(record(usage), named, prompt, content),
    ...(named === askedModel ? {} : { askedModel }),
  };
  const isBilled = content !== "" || (Array.isArray(choices) && choices.length > 0) || usage !== undefined;
  const cutOff = choice.finish_reason === "length";
  const inner = [error, choice.error, errorAround(answer)].find((each) =>
    each !== undefined && each !== null
  );
  if (inner !== undefined) {
    return {
      kind: "error",
      error: providerError(inner, 200, headers, prompt.user),
      usage: usage === undefined || usage === null ? undefined : billed,
    };
  }
  const isRefused = isContentEnd(choice.finish_reason);
  if (isRefused || (content === "" && typeof message.refusal !== "string")) {
    const failure = emptyFailure(choice.finish_reason);
    return { kind: "empty", failure, usage: isBilled ? billed : undefined, cutOff };
  }
  const tokens = tokensOf(record(choice.logprobs).content, content);
  return { kind: "completed", completion: { kind: "completed", content, tokens, ...billed }, cutOff };
}

/** Some gateways answer 200 with the error's fields and nothing around them. */
function errorAround(answer: unknown): unknown {
  const fields = record(answer);
  return Array.isArray(fields.choices) || Object.keys(fields).length === 0 ? undefined : answer;
}

/** JSON that comes under another content type is a text to the SDK. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A string, parts, an object that is the label itself, a tool call's arguments, or the older protocol's text. */
function contentOf(message: Fields, choice: Fields): string {
  const { content, tool_calls } = message;
  const text = textOf(content);
  if (text !== "") return text;
  const call = record(record(Array.isArray(tool_calls) ? tool_calls[0] : undefined).function);
  return typeof call.arguments === "string" ? call.arguments : textOf(choice.text);
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map(textOfPart).join("");
  const { text, category } = record(content);
  if (typeof text === "string") return text;
  return category === undefined ? "" : JSON.stringify(content);
}

/** Parts of another type, such as `thinking`, are no answer. */
function textOfPart(part: unknown): string {
  if (typeof part === "string") return part;
  const { type, text } = record(part);
  if (!TEXT_PARTS.has(String(type))) return "";
  const { value } = record(text);
  return typeof text === "string" ? text : typeof value === "string" ? value : "";
}

/** Tokens of thoughts may come before the answer's: only those that make up the answer are kept. */
function tokensOf(logprobs: unknown, content: string): Completion["tokens"] {
  if (!Array.isArray(logprobs)) return [];
  const tokens = logprobs.map(record).map(({ token, logprob }) => ({
    token: typeof token === "string" ? token : "",
    logprob: typeof logprob === "number" ? logprob : NaN,
  }));
  let surplus = tokens.reduce((length, { token }) => length + token.length, 0) - content.length;
  let first = 0;
  for (; surplus > 0 && first < tokens.length; first++) surplus -= tokens[first]?.token.length ?? 0;
  return surplus === 0 ? tokens.slice(first) : tokens;
}

/** Names that providers have for the tokens they bill. */
const INPUT = ["prompt_tokens", "input_tokens", "prompttokens", "inputtokens"];
const OUTPUT = ["completion_tokens", "output_tokens", "completiontokens", "outputtokens"];
const CACHED = ["cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens"];

function usageOf(usage: Fields, model: string, prompt: Prompt, content: string): Usage {
  const input = count(usage, INPUT);
  const named = count(usage, OUTPUT);
  const total = count(usage, ["total_tokens"]);
  // Some leave the tokens of thoughts out of the output and have them in the total only.
  const rest = total !== undefined && input !== undefined ? total - input : undefined;
  const output = named === undefined && rest === undefined ? undefined : Math.max(named ?? 0, rest ?? 0);
  const inputTokens = input || estimatedTokens(prompt.system) + estimatedTokens(prompt.user);
  const outputTokens = output || estimatedTokens(content);
  const cachedTokens = count(usage, CACHED) ??
    count(record(usage.prompt_tokens_details ?? usage.input_tokens_details), CACHED);
  return {
    model,
    inputTokens,
    outputTokens,
    ...(cachedTokens === undefined ? {} : { cachedTokens: Math.min(cachedTokens, inputTokens) }),
    ...(!input || (!output && content !== "") ? { estimated: true } : {}),
  };
}

/** A name that can be stored and shown. */
function nameOf(model: unknown): string | undefined {
  if (typeof model !== "string" || model.length > MODEL_MAX) return undefined;
  return /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(model) ? model : undefined;
}

type Fields = Partial<Record<string, unknown>>;

function record(value: unknown): Fields {
  return typeof value === "object" && value !== null ? value : {};
}

function count(fields: Fields, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = Number(fields[name] ?? NaN);
    if (Number.isSafeInteger(value) && value >= 0) return value;
  }
  return undefined;
}
