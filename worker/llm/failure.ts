// What an error of the openai SDK, or a success that is none, means for the caller.

import { wholeSeconds } from "../../shared/contract/retry_after.ts";
import { APIConnectionTimeoutError, APIError } from "openai";
import type { LlmFailure, LlmFailureCause } from "../core/llm.ts";
import { connectionError } from "./connection_errors.ts";

/** Codes with which providers say, under any status, that nobody has paid. */
const NO_QUOTA = new Set(["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"]);
const TOO_LONG = new Set(["context_length_exceeded", "string_above_max_length"]);

/**
 * Sorts an error of the SDK.
 *
 * @param host of the provider, for people.
 */
export function failureOf(error: unknown, timeoutMs: number, host: string): LlmFailure {
  if (error instanceof APIConnectionTimeoutError) {
    return failure("timeout", `The provider at ${host} did not answer within ${timeoutMs} ms`);
  }
  if (!(error instanceof APIError) || error.status === undefined) {
    const why = connectionError(error);
    return failure(
      "unavailable",
      `The provider at ${host} could not be reached or cut its answer off: ${why}`,
    );
  }
  const code = typeof error.code === "string" ? error.code : undefined;
  return failure(
    causeOf(error.status, code),
    `The provider answered ${error.status}${code === undefined ? "" : ` (${safe(code)})`}`,
    passedOn(error.headers),
  );
}

/** A 200 that is not an answer: HTML, an error object, no choices. */
export function protocolFailure(error: unknown, finishReason: unknown): LlmFailure {
  const { code } = typeof error === "object" && error !== null ? { code: undefined, ...error } : {};
  if (typeof code === "string" && NO_QUOTA.has(code)) {
    return failure("refused", `The provider answered 200 with the error ${safe(code)}`);
  }
  const what = error !== undefined ? "with an error body" : "without a message";
  const why = typeof finishReason === "string" ? ` (finish_reason ${safe(finishReason)})` : "";
  return failure("unavailable", `The provider answered 200 ${what}${why}`);
}

/** The feature a 400 complains about, so that the call can be made again without it. */
export function unsupportedFeature(error: unknown): "schema" | "logprobs" | undefined {
  if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 422)) return undefined;
  // The message counts only where no parameter is named: some providers repeat the ticket in it.
  const said = (error.param ?? error.message).toLowerCase();
  if (said.includes("logprobs")) return "logprobs";
  return /response_format|json_schema/.test(said) ? "schema" : undefined;
}

function causeOf(status: number, code: string | undefined): LlmFailureCause {
  if (code !== undefined && NO_QUOTA.has(code)) return "refused";
  if (code !== undefined && TOO_LONG.has(code)) return "too_long";
  if (status === 429) return "rate_limited";
  if (status === 404) return "no_model";
  // 402: some providers say so that nobody has paid. 3xx: a wrong base URL.
  if ([401, 402, 403].includes(status) || (status >= 300 && status < 400)) return "refused";
  return status === 408 || status === 504 ? "timeout" : "unavailable";
}

/** The fields in which providers say what is left of a rate; asked for by name, as walking over all headers is dear. */
const RATE_LIMIT_FIELDS: readonly string[] = [
  "ratelimit",
  "ratelimit-policy",
  ...["", "-requests", "-tokens"].flatMap((about) =>
    ["limit", "remaining", "reset"].map((what) => `x-ratelimit-${what}${about}`)
  ),
];

/** What a provider's answer says of its rate limit: `x-ratelimit-*`, and the IETF's fields. */
export function rateLimitHeaders(headers: Headers | undefined): Record<string, string> {
  const said: Record<string, string> = {};
  for (const name of RATE_LIMIT_FIELDS) {
    const value = headers?.get(name);
    if (value !== null && value !== undefined) said[name] = value;
  }
  return said;
}

function passedOn(headers: Headers | undefined): Record<string, string> {
  const kept = rateLimitHeaders(headers);
  const retryAfter = headers?.get("retry-after");
  if (retryAfter !== null && retryAfter !== undefined) kept["retry-after"] = wholeSeconds(retryAfter);
  const ms = Number(headers?.get("retry-after-ms") ?? NaN);
  if (kept["retry-after"] === undefined && ms >= 0) kept["retry-after"] = String(Math.ceil(ms / 1000));
  return kept;
}

function failure(cause: LlmFailureCause, detail: string, headers: Record<string, string> = {}): LlmFailure {
  return { kind: "failed", cause, detail, headers };
}

/** Codes come from outside: only what looks like one is repeated. */
function safe(code: string): string {
  return /^[\w.-]{1,64}$/.test(code) ? code : "an unreadable code";
}
