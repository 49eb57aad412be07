// Failure of a call: what an error of the SDK or of a provider means for the caller.

import { APIConnectionTimeoutError, APIError } from "openai";
import type { LlmFailure, LlmFailureCause } from "../core/llm.ts";
import { connectionError } from "./connection_errors.ts";
import { type ProviderError, providerError } from "./provider_error.ts";
import { fittingShare, isContentEnd, meaningOf } from "./error_meanings.ts";
import { passedOn } from "./rate_headers.ts";

/**
 * Sorts an error of the SDK.
 *
 * @param host of the provider, for people.
 * @param sent what the ticket says: an error that repeats it means nothing by it.
 */
export function failureOf(error: unknown, timeoutMs: number, host: string, sent = ""): LlmFailure {
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
  return errorFailure(errorOf(error, sent), `The provider answered ${error.status}`, sent);
}

/** What an API error of the SDK says. */
export function errorOf(error: APIError, sent: string): ProviderError {
  return providerError(error.error, error.status ?? 0, error.headers, sent);
}

/** The failure that an error means; `answered` says how it came. */
export function errorFailure(error: ProviderError, answered: string, sent: string): LlmFailure {
  const [cause, code] = causeOf(error, sent);
  const why = code ?? error.codes.find((each) => Number.isNaN(Number(each)));
  const detail = `${answered}${why === undefined ? "" : ` (${why})`}`;
  const share = cause === "too_long" ? fittingShare(error.text) : undefined;
  return {
    ...failure(cause, detail, passedOn(error, sent)),
    ...(share === undefined ? {} : { fittingShare: share }),
  };
}

/** A 200 without a message. */
export function emptyFailure(finishReason: unknown): LlmFailure {
  if (isContentEnd(finishReason) || finishReason === "refusal") {
    const end = String(finishReason).toLowerCase();
    return failure("content_refused", `The provider answered 200 and left the text out (${end})`);
  }
  const why = typeof finishReason === "string" && /^[\w.-]{1,64}$/.test(finishReason)
    ? finishReason
    : undefined;
  return failure(
    "unavailable",
    `The provider answered 200 without a message${why === undefined ? "" : ` (finish_reason ${why})`}`,
  );
}

/** The meaning of an error, and the code that says so. */
function causeOf(
  error: ProviderError,
  sent: string,
): readonly [cause: LlmFailureCause, code: string | undefined] {
  const row = meaningOf(error, sent);
  if (row !== undefined) return [row.cause, error.codes.find((code) => row.codes.includes(code))];
  if (error.status === 404) return ["no_model", undefined];
  // 3xx: a wrong base URL.
  const refused = error.status === 403 || (error.status >= 300 && error.status < 400);
  return [refused ? "refused" : "unavailable", undefined];
}

function failure(cause: LlmFailureCause, detail: string, headers: Record<string, string> = {}): LlmFailure {
  return { kind: "failed", cause, detail, headers };
}
