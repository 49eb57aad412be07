// Meanings of providers' errors: one table of codes, sentences and statuses, whatever status an error comes under.

import type { LlmFailureCause } from "../core/llm.ts";
import type { ProviderError } from "./provider_error.ts";

/** What some errors mean. The first row that fits decides; a status alone decides only where no row fits. */
export interface Meaning {
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

/** The row that fits an error. `sent` is what the ticket says: what it says, too, means nothing. */
export function meaningOf({ codes, text, status }: ProviderError, sent: string): Meaning | undefined {
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

/** The share of a request that is too long which would fit, where the provider names both numbers. */
export function fittingShare(text: string): number | undefined {
  const [, limit, requested] = /limit:? (\d{1,12})[^\d]{1,40}requested:? (\d{1,12})/.exec(text) ?? [];
  const share = Number(limit) / Number(requested);
  return share > 0 && share < 1 ? share : undefined;
}

/** Whether an error says of itself that it is about something else than the request's parameters. */
export function isAboutSomethingElse(error: ProviderError, sent: string): boolean {
  const row = meaningOf(error, sent);
  return row !== undefined && SPEAKING.has(row.cause);
}
