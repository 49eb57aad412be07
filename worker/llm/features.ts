// Features that are asked of a model beyond plain chat: one table of ways to ask for each, the best first, and by which
// names providers refuse them. What a provider refuses is asked for in the next way.

import type OpenAI from "openai";
import type { Prompt } from "../core/prompt.ts";

/** A chat completion's request. */
export type RequestBody = OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming;

/** One way to ask for a feature. */
export interface Way {
  /** What is asked, for people. */
  readonly asks: string;
  /** The request's field that asks for it; undefined for not asking at all. */
  readonly field?: string;
  /** The value that a provider may refuse while it takes the field. */
  readonly value?: string;
  readonly fields: (asked: Asked) => Partial<RequestBody>;
}

/** What is asked: a prompt, and how many tokens the answer may have. */
export interface Asked {
  readonly prompt: Prompt;
  readonly tokensMax: number;
}

/** One feature. */
export interface Feature {
  /** Words of a refusal that mean it: fields of requests, and what providers call them. */
  readonly names: readonly string[];
  readonly ways: readonly [Way, ...Way[]];
  /** What says that a model has nothing of the kind, so that no other way need be tried. */
  readonly whole?: RegExp;
}

/** A label takes 30 to 80 tokens. */
const ANSWER_TOKENS_MAX = 300;
/** What a model that thinks whatever it is asked needs on top of it. */
const THOUGHT_TOKENS_MAX = 4_000;

const reasoning = (effort: "none" | "minimal" | "low"): Way => ({
  asks: `reasoning_effort ${effort}`,
  field: "reasoning_effort",
  value: effort,
  fields: () => ({ reasoning_effort: effort }),
});

const withoutAsking: Way = { asks: "nothing", fields: () => ({}) };

/** The ways to ask for each feature, the best first. */
export const FEATURES = {
  limit: {
    names: ["max_completion_tokens", "max_tokens", "max_output_tokens", "maxoutputtokens", "max_new_tokens"],
    ways: [
      {
        asks: "max_completion_tokens",
        field: "max_completion_tokens",
        fields: ({ tokensMax }) => ({ max_completion_tokens: tokensMax }),
      },
      { asks: "max_tokens", field: "max_tokens", fields: ({ tokensMax }) => ({ max_tokens: tokensMax }) },
      withoutAsking,
    ],
  },
  reasoning: {
    names: [
      "reasoning_effort",
      "reasoningeffort",
      "reasoning",
      "thinking",
      "thinking_budget",
      "thinkingbudget",
      "thinking_config",
      "thinking_level",
      "thinkinglevel",
      "enable_thinking",
      "effort",
      "think",
    ],
    whole: /not support (?:thinking|reasoning)\b|not a reasoning model/,
    ways: [reasoning("none"), reasoning("minimal"), reasoning("low"), withoutAsking],
  },
  temperature: {
    names: ["temperature"],
    ways: [
      { asks: "temperature 0", field: "temperature", fields: () => ({ temperature: 0 }) },
      withoutAsking,
    ],
  },
  logprobs: {
    names: [
      "logprobs",
      "top_logprobs",
      "logprob",
      "log_probs",
      "log probs",
      "log probabilities",
      "response_logprobs",
      "responselogprobs",
    ],
    ways: [{ asks: "logprobs", field: "logprobs", fields: () => ({ logprobs: true }) }, withoutAsking],
  },
  schema: {
    names: [
      "response_format",
      "responseformat",
      "response_schema",
      "responseschema",
      "response_mime_type",
      "response format",
      "json_schema",
      "json schema",
      "json_object",
      "json mode",
      "structured output",
      "structured outputs",
      "structured_outputs",
      "guided_json",
      "guided decoding",
      "xgrammar",
      "outlines",
      "grammar",
      "schema",
      "output_config",
      "output_format",
    ],
    ways: [
      {
        asks: "response_format json_schema",
        field: "response_format",
        value: "json_schema",
        fields: ({ prompt: { schema, schemaName } }) => ({
          response_format: {
            type: "json_schema",
            json_schema: { name: schemaName, strict: true, schema: { ...schema } },
          },
        }),
      },
      {
        asks: "response_format json_object",
        field: "response_format",
        value: "json_object",
        fields: () => ({ response_format: { type: "json_object" } }),
      },
      withoutAsking,
    ],
  },
  system: {
    names: [
      "system role",
      "system message",
      "system messages",
      "system prompt",
      "system instruction",
      "system instructions",
      "system_instruction",
      "developer instruction",
      "developer role",
      "role system",
      "got system",
      "role does not support",
      "roles must alternate",
      "supported roles",
      "roles are supported",
    ],
    ways: [
      {
        asks: "a system message",
        field: "messages",
        fields: ({ prompt: { system, user } }) => ({
          messages: [{ role: "system", content: system }, { role: "user", content: user }],
        }),
      },
      {
        asks: "the instructions in the user's message",
        fields: ({ prompt: { system, user } }) => ({
          messages: [{ role: "user", content: `${system}\n\n${user}` }],
        }),
      },
    ],
  },
} as const satisfies Readonly<Record<string, Feature>>;

/** A feature's name in {@link FEATURES}. */
export type FeatureName = keyof typeof FEATURES;

/** All of them, in the order of a request's fields. */
export const FEATURE_NAMES = Object.keys(FEATURES) as readonly FeatureName[];

/** For each feature the index of the way it is asked for. */
export type Choice = Readonly<Record<FeatureName, number>>;

/** What every model is asked at first. */
export const BEST_CHOICE = Object.fromEntries(FEATURE_NAMES.map((name) => [name, 0])) as Choice;

/** The way chosen for a feature. */
export function wayOf(choice: Choice, name: FeatureName): Way {
  const { ways }: Feature = FEATURES[name];
  return ways[choice[name]] ?? ways[0];
}

/** Whether a model thinks although it was asked not to: then its thoughts need room beside the answer. */
export function thinksAnyway(choice: Choice): boolean {
  return wayOf(choice, "reasoning").value !== undefined && choice.reasoning > 0;
}

/** The request for a prompt. */
export function requestBody(
  model: string,
  choice: Choice,
  prompt: Prompt,
  roomForThoughts: boolean,
): RequestBody {
  const tokensMax = ANSWER_TOKENS_MAX * prompt.answers + (roomForThoughts ? THOUGHT_TOKENS_MAX : 0);
  return Object.assign(
    { model, messages: [] },
    ...FEATURE_NAMES.map((name) => wayOf(choice, name).fields({ prompt, tokensMax })),
  );
}
