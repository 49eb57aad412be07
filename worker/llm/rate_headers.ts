// Rate headers: what a provider says of its rate limit, and how long it asks to be left alone.

import { wholeSeconds } from "../../shared/contract/retry_after.ts";
import type { ProviderError } from "./provider_error.ts";

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

/** The headers of a failure that go on to the caller; `sent` is what the ticket says. */
export function passedOn({ headers, text }: ProviderError, sent: string): Record<string, string> {
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
