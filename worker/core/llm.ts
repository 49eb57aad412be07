// What classification asks of an LLM. worker/llm is the only implementation in production.

import type { TokenProbability } from "./confidence.ts";
import type { Prompt } from "./prompt.ts";

/** The model answered something. Whether it is usable is for the core to say. */
export interface Completion {
  readonly kind: "completed";
  readonly content: string;
  /** Empty where the provider gives no log-probabilities. */
  readonly tokens: readonly TokenProbability[];
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * Why no answer came: `rate_limited` (429), `refused` (401, 403, no quota), `no_model` (404: no such model, or a wrong
 * address), `too_long` (the ticket does not fit the model), `unavailable` (5xx, network, not an answer of the protocol),
 * `timeout`, `aborted` (the caller went away), `over_budget` (the day's budget is spent: the provider was not asked).
 */
export type LlmFailureCause =
  | "rate_limited"
  | "refused"
  | "no_model"
  | "too_long"
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
}

/** A model behind the OpenAI protocol. No method rejects. */
export interface Llm {
  readonly model: string;
  readonly complete: (prompt: Prompt, signal: AbortSignal | undefined) => Promise<Completion | LlmFailure>;
  /** Undefined when the provider answers and accepts the key. */
  readonly check: () => Promise<LlmFailure | undefined>;
}
