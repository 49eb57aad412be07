// LLM as classification uses it. worker/llm has the only implementation in production.

import type { TokenProbability } from "./answer/confidence.ts";
import type { Prompt } from "./prompt.ts";

/** Tokens that a provider bills for one answer. */
export interface Usage {
  /** As the provider calls it. */
  readonly model: string;
  /** The one that was asked for, where the provider calls it otherwise. */
  readonly askedModel?: string;
  readonly inputTokens: number;
  /** Those of the input that came from the provider's cache, which cost less. */
  readonly cachedTokens?: number;
  readonly outputTokens: number;
  /** The provider gave no usage: the numbers come from the lengths of the texts. */
  readonly estimated?: boolean;
}

/** The model answered something. Whether it is usable is for the core to say. */
export interface Completion extends Usage {
  readonly kind: "completed";
  readonly content: string;
  /** Empty where the provider gives no log-probabilities. */
  readonly tokens: readonly TokenProbability[];
}

/**
 * Why no answer came: `rate_limited` (429), `refused` (401, 403, no quota, a parameter that is refused whatever we do),
 * `no_model` (404: no such model, or a wrong address), `too_long` (the ticket does not fit the model or the rate),
 * `content_refused` (the provider does not take what the ticket says), `unavailable` (5xx, network, not an answer of the
 * protocol), `timeout`, `aborted` (the caller went away), `over_budget` (the day's budget is spent: nobody was asked).
 */
export type LlmFailureCause =
  | "rate_limited"
  | "refused"
  | "no_model"
  | "too_long"
  | "content_refused"
  | "unavailable"
  | "timeout"
  | "aborted"
  | "over_budget";

/** See {@link LlmFailureCause}. */
export interface LlmFailure {
  readonly kind: "failed";
  readonly cause: LlmFailureCause;
  /** What the provider said, for people. Never holds ticket text or secrets. */
  readonly detail: string;
  /** `Retry-After` and rate-limit headers of the provider's answer, to be passed on. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of a request that is too long: the share of it that would fit, where the provider says so. */
  readonly fittingShare?: number;
  /** The call was billed although no answer came of it. */
  readonly billed?: boolean;
}

/** One thing that a model turned out to do otherwise than it was asked at first. */
export interface Lesson {
  readonly model: string;
  /** A feature of a request, or what the model does by itself: `thoughts`, `usage`. */
  readonly feature: string;
  /** What is asked instead. */
  readonly asks: string;
  /** What the provider said, as far as it may be repeated. */
  readonly because: string;
  /** ISO 8601. */
  readonly since: string;
}

/** A model behind the OpenAI protocol. No method rejects. */
export interface Llm {
  readonly model: string;
  readonly complete: (prompt: Prompt, signal: AbortSignal | undefined) => Promise<Completion | LlmFailure>;
  /** Undefined when the provider answers and accepts the key. */
  readonly check: () => Promise<LlmFailure | undefined>;
}
