// The headers in which an answer tells the provider's rate limit: the IETF's RateLimit fields, or LLM providers' x-ratelimit-*.

/** What is left of the provider's rate, as of one answer. */
export interface RateReport {
  /** Requests that may still be made. */
  readonly remaining: number;
  /** In so many ms there will be `limit` again. */
  readonly resetMs: number;
  /** Requests that may be made when nothing is used up; undefined where it is not said. */
  readonly limit: number | undefined;
  /** Time in which `limit` comes back when all of it is used up, in ms; undefined where it is not said. */
  readonly windowMs: number | undefined;
}

/** A field that came several times is none of these. */
type Fields = Readonly<Record<string, string | string[] | undefined>>;

/** The report in an answer's headers (names in lower case); undefined without one that can be read. */
export function readRateLimitHeaders(headers: Fields): RateReport | undefined {
  if (!hasAny(headers)) return undefined;
  const requests = readVendor(headers, "-requests") ?? readVendor(headers, "") ?? readStandard(headers);
  const tokens = readVendor(headers, "-tokens");
  // Tokens are not counted in requests: all they say of those is that there are none.
  if (tokens === undefined || tokens.remaining >= 1) return requests;
  return { remaining: 0, resetMs: tokens.resetMs, limit: undefined, windowMs: undefined };
}

/** Most answers have none of them. */
function hasAny(headers: Fields): boolean {
  for (const name in headers) {
    if (name.startsWith("ratelimit") || name.startsWith("x-ratelimit-")) return true;
  }
  return false;
}

/** `x-ratelimit-remaining-requests: 59`, `x-ratelimit-reset-requests: 1m0.5s`. */
function readVendor(headers: Fields, about: string): RateReport | undefined {
  const remaining = numberIn(headers[`x-ratelimit-remaining${about}`]);
  const resetMs = durationMs(headers[`x-ratelimit-reset${about}`]);
  if (remaining === undefined || resetMs === undefined) return undefined;
  return { remaining, resetMs, limit: numberIn(headers[`x-ratelimit-limit${about}`]), windowMs: undefined };
}

/** draft-ietf-httpapi-ratelimit-headers: `RateLimit: "default";r=50;t=30`, `RateLimit-Policy: "default";q=100;w=60`. */
function readStandard(headers: Fields): RateReport | undefined {
  const remaining = parameter(headers["ratelimit"], "r");
  const seconds = parameter(headers["ratelimit"], "t");
  if (remaining === undefined || seconds === undefined) return undefined;
  const window = parameter(headers["ratelimit-policy"], "w");
  return {
    remaining,
    resetMs: seconds * 1000,
    limit: parameter(headers["ratelimit-policy"], "q"),
    windowMs: window === undefined ? undefined : window * 1000,
  };
}

function parameter(field: Fields[string], name: string): number | undefined {
  return typeof field === "string"
    ? numberIn(new RegExp(`;\\s*${name}=(\\d{1,15})`).exec(field)?.[1])
    : undefined;
}

function numberIn(text: Fields[string]): number | undefined {
  return typeof text === "string" && /^\s*\d{1,15}(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `6m0s`, `1.5s`, `120ms`, or seconds without a unit. Undefined for anything else (an epoch is a moment, not a wait). */
function durationMs(text: Fields[string]): number | undefined {
  const trimmed = typeof text === "string" ? text.trim() : "";
  const seconds = numberIn(trimmed);
  if (seconds !== undefined) return seconds < 1e6 ? seconds * 1000 : undefined;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) return undefined;
  let sumMs = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    sumMs += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return sumMs;
}
