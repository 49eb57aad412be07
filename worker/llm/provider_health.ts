// Health of the provider: what the last chat call said, and where that is not enough the list of models or one tiny
// completion. Not every key may list models, and not every provider has a list.

import OpenAI from "openai";
import type { Completion, LlmFailure, LlmFailureCause } from "../core/llm.ts";
import { AnswerTooLongError } from "./bounded_fetch.ts";
import { failureOf } from "./failure.ts";
import { hostOf } from "./model_call.ts";

/** A model that its provider will take away. */
export interface ModelShutdown {
  readonly model: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What health asks and tells. */
export interface ProviderHealthDeps {
  readonly client: OpenAI;
  readonly models: readonly string[];
  /** One completion that costs next to nothing. */
  readonly chat: () => Promise<Completion | LlmFailure>;
  readonly onShutdown?: ((shutdown: ModelShutdown) => void) | undefined;
}

const CHECK_TIMEOUT_MS = 3_000;
/** Failures after which a chat call would fail the same way: everything else is about one request or its rate. */
const ABOUT_PROVIDER: ReadonlySet<LlmFailureCause> = new Set([
  "refused",
  "no_model",
  "unavailable",
  "timeout",
]);
/** Failures that never reached the provider. */
const ABOUT_US: ReadonlySet<LlmFailureCause> = new Set(["aborted", "over_budget"]);
/** Fields in which lists of models say when one goes away: a date, or seconds since the epoch. */
const SHUTDOWN_FIELDS = [
  "shutdown_date",
  "shutdown_at",
  "deprecation_date",
  "retirement_date",
  "deprecation",
  "expiration_date",
];

/** Remembers what the last chat call said. */
export class ProviderHealth {
  readonly #deps: ProviderHealthDeps;
  readonly #reported = new Map<string, string>();
  #lastChat: "none" | "well" | LlmFailure = "none";

  constructor(deps: ProviderHealthDeps) {
    this.#deps = deps;
  }

  /** A chat call ended. */
  record(answer: Completion | LlmFailure): void {
    if (answer.kind === "failed" && ABOUT_US.has(answer.cause)) return;
    const isBad = answer.kind === "failed" && ABOUT_PROVIDER.has(answer.cause);
    this.#lastChat = isBad ? answer : "well";
  }

  /** Undefined when the provider answers. */
  async check(): Promise<LlmFailure | undefined> {
    if (typeof this.#lastChat === "string") {
      const listed = await this.#list();
      // Where nobody answers at all a chat call would not be answered either.
      if (typeof listed === "object") return listed;
      if (this.#lastChat === "well" || (this.#lastChat === "none" && listed === "listed")) return undefined;
    }
    this.record(await this.#deps.chat());
    return typeof this.#lastChat === "object" ? this.#lastChat : undefined;
  }

  async #list(): Promise<"listed" | "no_list" | LlmFailure> {
    const { client } = this.#deps;
    try {
      const { data } = await client.models.list({ timeout: CHECK_TIMEOUT_MS });
      if (Array.isArray(data)) data.forEach((each) => this.#lookAt(each));
      return "listed";
    } catch (error) {
      // A list that is refused, too long or slow says nothing about chat.
      const isAnswered = error instanceof OpenAI.APIError && error.status !== undefined;
      if (isAnswered || error instanceof OpenAI.APIConnectionTimeoutError || isTooLong(error)) {
        return "no_list";
      }
      return failureOf(error, CHECK_TIMEOUT_MS, hostOf(client));
    }
  }

  #lookAt(listed: unknown): void {
    const fields: Readonly<Record<string, unknown>> = { ...Object(listed) };
    const model = this.#deps.models.find((name) => name === fields["id"]);
    const at = SHUTDOWN_FIELDS.map((name) => dateOf(fields[name])).find((date) => date !== undefined);
    if (model === undefined || at === undefined || this.#reported.get(model) === at) return;
    this.#reported.set(model, at);
    this.#deps.onShutdown?.({ model, at });
  }
}

function isTooLong(error: unknown): boolean {
  return error instanceof AnswerTooLongError || (error instanceof Error && isTooLong(error.cause));
}

function dateOf(value: unknown): string | undefined {
  const ms = typeof value === "number" ? value * (value < 1e11 ? 1000 : 1) : Date.parse(String(value ?? ""));
  return Number.isFinite(ms) && Math.abs(ms) < 8e15 ? new Date(ms).toISOString() : undefined;
}
