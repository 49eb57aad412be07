// Failure of a call: what an error of the SDK or of a provider means for the caller. One table says what each error means,
// whatever status it comes under.

import { wholeSeconds } from "../../shared/contract/retry_after.ts";
import { APIConnectionTimeoutError, APIError } from "openai";
import type { LlmFailure, LlmFailureCause } from "../core/llm.ts";
import { connectionError } from "./connection_errors.ts";
import { type ProviderError, providerError } from "./provider_error.ts";

/** What some errors mean. The first row that fits decides; a status alone decides only where no row fits. */
interface Meaning {
  readonly cause: LlmFailureCause;
  /** Codes, types or reasons in lower case. */
  readonly codes: readonly string[];
  /** Stretches of its text in lower case. They count only where the ticket does not say the same. */
  readonly says: readonly (string | RegExp)[];
  /** Statuses that mean it whatever the error says. */
  readonly statuses?: readonly number[];
}

const MEANINGS: readonly Meaning[] = [
  {
    cause: "content_refused",
    codes: [
      "content_filter",
      "content_filtered",
      "content_policy_violation",
      "contentpolicyviolationerror",
      "responsibleaipolicyviolation",
      "moderation_blocked",
      "content_moderation_failed",
      "prohibited_content",
      "prompt_blocked",
      "safety",
      "blocklist",
      "datainspectionfailed",
      "data_inspection_failed",
      "guardrail_intervened",
      "invalid_prompt",
      "sensitive_content",
    ],
    says: [
      "content management policy",
      "content policy",
      "flagged by",
      "was flagged",
      "requires moderation",
      "input was flagged",
      "moderation block",
      "violating our usage policy",
      "violates our usage policies",
      "content exists risk",
      "inappropriate content",
      "blocked by our content",
      "blocked due to safety",
      "content filter",
      "guardrail",
      "usage guidelines",
      "safety_check",
      "new_sensitive",
      "敏感",
    ],
  },
  {
    cause: "too_long",
    codes: [
      "context_length_exceeded",
      "string_above_max_length",
      "exceed_context_size_error",
      "request_too_large",
      "context_window_exceeded",
      "contextwindowexceedederror",
      "string_too_long",
      "tokens_limit_reached",
      "payload_too_large",
    ],
    says: [
      "maximum context length",
      "context length",
      "context window",
      "context size",
      "request too large",
      "request body too large",
      "prompt is too long",
      "input is too long",
      "too many tokens",
      "reduce the length",
      "reduce your message size",
      "exceeds the maximum number of tokens",
      "input token count",
      "tokens exceeded",
      "maximum prompt length",
      "maximum model length",
      "context overflow",
      "context the overflows",
      /inputs?\W{0,3} tokens\b.{0,80}must be/,
    ],
    statuses: [413],
  },
  {
    cause: "refused",
    codes: [
      "insufficient_quota",
      "insufficient_balance",
      "insufficient_credits",
      "insufficient_funds",
      "exceeded_current_quota_error",
      "billing_hard_limit_reached",
      "billing_not_active",
      "billing_error",
      "payment_required",
      "arrearage",
      "account_deactivated",
      "access_terminated",
    ],
    says: [
      "insufficient balance",
      "insufficient credits",
      "requires more credits",
      "credit balance is too low",
      "payment required",
      "billing is not active",
      "never purchased credits",
      "account is suspended",
      "余额不足",
    ],
    statuses: [402],
  },
  {
    cause: "refused",
    codes: [
      "invalid_api_key",
      "authentication_error",
      "authenticationerror",
      "api_key_invalid",
      "unauthenticated",
      "permission_error",
      "permission_denied",
      "permissiondenied",
      "unauthorized",
      "invalid_authentication",
      "access_denied",
      "accessdenied",
      "unsupported_country_region_territory",
    ],
    says: [
      "incorrect api key",
      "invalid api key",
      "api key not valid",
      "no auth credentials",
      "api key expired",
    ],
    statuses: [401],
  },
  {
    cause: "no_model",
    codes: [
      "model_not_found",
      "model_not_available",
      "modelnotfound",
      "deploymentnotfound",
      "deployment_not_found",
      "invalid_model",
      "model_decommissioned",
      "model_deprecated",
      "unknown_model",
    ],
    says: [
      "is not a valid model",
      "invalid model",
      /\bmodel\b.{0,100}(?:does not exist|not exist|not found|has been deprecated)/,
      "has been decommissioned",
      "try pulling it first",
      "no such model",
      "unknown model",
    ],
  },
  {
    cause: "rate_limited",
    codes: [
      "rate_limit_exceeded",
      "rate_limit_error",
      "ratelimiterror",
      "rate_limit",
      "resource_exhausted",
      "too_many_requests",
      "throttling",
      "throttlingexception",
      "slow_down",
      "requests",
      "tokens",
    ],
    says: ["rate limit", "too many requests", "try again in"],
    statuses: [429],
  },
  {
    cause: "timeout",
    codes: ["timeout", "deadline_exceeded", "timeout_error", "gateway_timeout", "request_timeout"],
    says: ["upstream request timeout", "timed out"],
    statuses: [408, 504, 524],
  },
  {
    cause: "unavailable",
    codes: ["overloaded_error", "engine_overloaded", "server_error", "internal_server_error", "unavailable"],
    says: ["overloaded", "is currently loading", "loading model"],
  },
];

/** What rows of {@link MEANINGS} say of an error besides its status. */
const SPEAKING: ReadonlySet<LlmFailureCause> = new Set([
  "content_refused",
  "too_long",
  "refused",
  "no_model",
]);

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
  return errorFailure(errorOf(error), `The provider answered ${error.status}`, sent);
}

/** What an API error of the SDK says. */
export function errorOf(error: APIError): ProviderError {
  return providerError(error.error, error.status ?? 0, error.headers);
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

/** Whether an error says of itself that it is about something else than the request's parameters. */
export function isAboutSomethingElse(error: ProviderError, sent: string): boolean {
  const row = meaningOf(error, sent);
  return row !== undefined && SPEAKING.has(row.cause);
}

/** Ends of an answer which say that what the ticket or the answer says is not taken. */
const CONTENT_ENDS = new Set([
  "content_filter",
  "content_filtered",
  "safety",
  "prohibited_content",
  "blocklist",
  "sensitive",
  "guardrail_intervened",
]);

/** Whether an answer ended because of its content. */
export function isContentEnd(finishReason: unknown): boolean {
  return CONTENT_ENDS.has(String(finishReason).toLowerCase());
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

function meaningOf({ codes, text, status }: ProviderError, sent: string): Meaning | undefined {
  const ticket = sent.toLowerCase();
  const says = (phrase: string | RegExp) => {
    const found = typeof phrase === "string" ? text.includes(phrase) && phrase : phrase.exec(text)?.[0];
    return found !== false && found !== undefined && !ticket.includes(found);
  };
  if (isTooLargeForRate(text)) return MEANINGS.find(({ cause }) => cause === "too_long");
  return MEANINGS.find((row) => row.codes.some((code) => codes.includes(code)) || row.says.some(says)) ??
    MEANINGS.find((row) => row.statuses?.includes(status));
}

/** `Limit 6000, Requested 7512`: such a request never passes, however long it waits. */
function isTooLargeForRate(text: string): boolean {
  return (fittingShare(text) ?? 1) < 1 && /request too large|requested/.test(text) && !/used/.test(text);
}

function fittingShare(text: string): number | undefined {
  const [, limit, requested] = /limit:? (\d{1,12})[^\d]{1,40}requested:? (\d{1,12})/.exec(text) ?? [];
  const share = Number(limit) / Number(requested);
  return share > 0 && share < 1 ? share : undefined;
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

function passedOn({ headers, text }: ProviderError, sent: string): Record<string, string> {
  const kept = rateLimitHeaders(headers);
  const retryAfter = headers?.get("retry-after") ?? undefined;
  const waits = [
    secondsOf(retryAfter),
    secondsOf(headers?.get("retry-after-ms") ?? undefined, "ms"),
    sent.toLowerCase().includes("try again in") ? undefined : secondsInText(text),
  ].filter((seconds) => seconds !== undefined);
  // A date stays as it is.
  if (waits.length > 0) kept["retry-after"] = String(Math.ceil(Math.max(...waits)));
  else if (retryAfter !== undefined) kept["retry-after"] = wholeSeconds(retryAfter);
  return kept;
}

/** `2`, `0.5`, `7.66s`, `320ms`, `1m30s`: providers write whole seconds seldom. */
function secondsOf(text: string | undefined, unit: "s" | "ms" = "s"): number | undefined {
  const [, plain, hours, minutes, seconds, ms] =
    /^\s{0,9}(?:(\d{1,12}(?:\.\d{0,12})?)|(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d{0,12})?)s)?(?:(\d{1,9}(?:\.\d{0,12})?)ms)?)\s{0,9}$/
      .exec(text ?? "") ?? [];
  if (plain !== undefined) return Number(plain) / (unit === "ms" ? 1000 : 1);
  const parts = [hours, minutes, seconds, ms];
  if (parts.every((part) => part === undefined)) return undefined;
  const [h = 0, m = 0, s = 0, milliseconds = 0] = parts.map((part) => Number(part ?? 0));
  return h * 3600 + m * 60 + s + milliseconds / 1000;
}

/** OpenAI's and Groq's sentences, and Google's `retryDelay`, which is a line of its own. */
function secondsInText(text: string): number | undefined {
  const [, said] = /(?:try again in|retry in|retry after) ([\dhms.]{1,20})/.exec(text) ?? [];
  return secondsOf(said?.replace(/\.$/, "")) ?? secondsOf(/^[\d.]{1,20}s$/m.exec(text)?.[0]);
}

function failure(cause: LlmFailureCause, detail: string, headers: Record<string, string> = {}): LlmFailure {
  return { kind: "failed", cause, detail, headers };
}
