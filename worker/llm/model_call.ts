// Call of one model: asks for every feature and unlearns by name what the provider refuses.

import OpenAI from "openai";
import type { Completion, LlmFailure, Usage } from "../core/llm.ts";
import type { Prompt } from "../core/prompt.ts";
import { type Answered, completionOf } from "./completion.ts";
import { errorFailure, errorOf, failureOf } from "./failure.ts";
import { isAboutSomethingElse } from "./error_meanings.ts";
import { rateLimitHeaders } from "./rate_headers.ts";
import { type Choice, type FeatureName, requestBody } from "./features.ts";
import type { LearntFeatures } from "./learnt_features.ts";
import type { ProviderError } from "./provider_error.ts";
import { refusedFeatures, refusedParameter } from "./refusals.ts";

/** A model and what is known of it. */
export interface Model {
  readonly name: string;
  readonly learnt: LearntFeatures;
  /** Hears what an answer says of the rate limit. */
  readonly onRateLimit: ((headers: Readonly<Record<string, string>>) => void) | undefined;
  /** Hears of tokens that are billed although no completion carries them. */
  readonly onBilled: ((usage: Usage) => void) | undefined;
}

/** One call. */
export interface CallRequest {
  readonly prompt: Prompt;
  readonly timeoutMs: number;
  readonly caller: AbortSignal | undefined;
}

/** What stands in a code's place and says nothing. */
const NO_CODES = new Set(["error", "none", "null"]);

type Attempted =
  | Answered
  | { readonly kind: "failed"; readonly failure: LlmFailure };

/** Calls a model. What is refused by name is asked for otherwise at once, within the same time limit. */
export async function callModel(
  client: OpenAI,
  model: Model,
  { prompt, timeoutMs, caller }: CallRequest,
): Promise<Completion | LlmFailure> {
  const untilMs = performance.now() + timeoutMs;
  const refused = new Map<FeatureName, string>();
  let choice = model.learnt.choose();
  let roomy = model.learnt.needsRoom(choice);
  for (;;) {
    const request = { prompt, timeoutMs: Math.max(1, Math.ceil(untilMs - performance.now())), caller };
    const attempted = await attempt(client, model, choice, roomy, request);
    switch (attempted.kind) {
      case "failed":
        return attempted.failure;
      case "error": {
        if (attempted.usage !== undefined) model.onBilled?.(attempted.usage);
        const next = afterRefusal(attempted.error, choice, prompt, refused);
        if (next === undefined) {
          return withBill(failureFrom(attempted.error, prompt, model.name), attempted.usage !== undefined);
        }
        choice = next;
        roomy ||= model.learnt.needsRoom(choice);
        break;
      }
      case "completed":
      case "empty":
        model.learnt.accept(choice, refused);
        if (attempted.cutOff && !roomy) {
          bill(model, attempted);
          model.learnt.note("thoughts");
          roomy = true;
          break;
        }
        if (attempted.kind === "completed") {
          if (attempted.completion.estimated) model.learnt.note("usage");
          return attempted.completion;
        }
        bill(model, attempted);
        return withBill(attempted.failure, attempted.usage !== undefined);
      default:
        return attempted satisfies never;
    }
  }
}

/** The next choice after a refusal of parameters; undefined where it is none, or nothing is left to leave out. */
function afterRefusal(
  error: ProviderError,
  choice: Choice,
  { user }: Prompt,
  refused: Map<FeatureName, string>,
): Choice | undefined {
  if (isAboutSomethingElse(error, user)) return undefined;
  const refusals = refusedFeatures(error, choice, user);
  if (refusals.length === 0) return undefined;
  for (const { feature, doubtful } of refusals) if (!doubtful) refused.set(feature, saidBy(error));
  return { ...choice, ...Object.fromEntries(refusals.map(({ feature, next }) => [feature, next])) };
}

/** `400 unsupported_parameter`: of an error only what looks like a code is repeated. */
function saidBy({ status, codes }: ProviderError): string {
  const code = codes.find((each) => Number.isNaN(Number(each)) && !NO_CODES.has(each));
  return code === undefined ? String(status) : `${status} ${code}`;
}

function failureFrom(error: ProviderError, { user }: Prompt, model: string): LlmFailure {
  const { answeredStatus: status } = error;
  const failure = errorFailure(
    error,
    `The provider answered ${status}${status < 300 ? " with an error body" : ""}`,
    user,
  );
  if (failure.cause === "no_model") return { ...failure, detail: `${failure.detail}: no model ${model}` };
  const parameter = failure.cause === "unavailable" ? refusedParameter(error, user) : undefined;
  if (parameter === undefined) return failure;
  return { ...failure, cause: "refused", detail: `${failure.detail}: it refuses the parameter ${parameter}` };
}

function withBill(failure: LlmFailure, billed: boolean): LlmFailure {
  return billed ? { ...failure, billed } : failure;
}

function bill({ onBilled }: Model, answered: Exclude<Answered, { kind: "error" }>): void {
  const usage = answered.kind === "completed" ? answered.completion : answered.usage;
  if (usage !== undefined) onBilled?.(usage);
}

async function attempt(
  client: OpenAI,
  model: Model,
  choice: Choice,
  roomy: boolean,
  { prompt, timeoutMs, caller }: CallRequest,
): Promise<Attempted> {
  // With no signal of the caller's own nothing has to be listened to. The SDK's time limit covers the body too.
  const options = { timeout: timeoutMs, ...(caller === undefined ? {} : { signal: caller }) };
  try {
    const asking = client.chat.completions.create(requestBody(model.name, choice, prompt, roomy), options);
    const { data, response } = await asking.withResponse();
    model.onRateLimit?.(rateLimitHeaders(response.headers));
    return completionOf(data, model.name, prompt, response.headers);
  } catch (error) {
    if (caller?.aborted) {
      const detail = "The caller went away";
      return { kind: "failed", failure: { kind: "failed", cause: "aborted", detail, headers: {} } };
    }
    if (error instanceof OpenAI.APIError && error.status !== undefined) {
      return { kind: "error", error: errorOf(error, prompt.user), usage: undefined };
    }
    return { kind: "failed", failure: failureOf(error, timeoutMs, hostOf(client), prompt.user) };
  }
}

/** Where the provider is, for people. */
export function hostOf({ baseURL }: OpenAI): string {
  return URL.canParse(baseURL) ? new URL(baseURL).host : baseURL;
}
