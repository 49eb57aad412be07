// The header `Retry-After` (RFC 9110 section 10.2.3): seconds or an HTTP date; and seconds with a fraction, as providers write them.

/** Longest wait that is honoured where nothing else is set, in ms: the default of `RETRY_AFTER_MAX_MS`. */
export const RETRY_AFTER_MAX_MS = 300_000;

const SECONDS = /^(?:\d+\.?\d*|\.\d+)$/;

/**
 * The wait in whole milliseconds that a `Retry-After` value asks for, counted from `nowMs`: rounded up, at most `maxMs`; a
 * date in the past is 0. Of several values the longest counts. Undefined when the value is neither seconds nor a date.
 *
 * @param nowMs the time of day: HTTP dates are about that.
 */
export function parseRetryAfter(
  value: string | readonly string[] | null | undefined,
  nowMs: number,
  maxMs = RETRY_AFTER_MAX_MS,
): number | undefined {
  const waits = (typeof value === "string" ? fieldValues(value) : value ?? [])
    .map((one) => waitMs(one.trim(), nowMs))
    .filter((ms) => ms !== undefined);
  return waits.length === 0 ? undefined : Math.min(maxMs, Math.max(...waits));
}

/** The same wait as a header that every reader understands: a fraction of a second is rounded up, a date stays. */
export function wholeSeconds(value: string): string {
  return SECONDS.test(value.trim()) ? String(Math.ceil(Number(value))) : value;
}

/** Repeated fields come joined by commas; a date has one comma of its own. */
function fieldValues(value: string): readonly string[] {
  return /^[\d.,\s]*$/.test(value) ? value.split(",") : [value];
}

function waitMs(text: string, nowMs: number): number | undefined {
  if (SECONDS.test(text)) return Math.ceil(Number(text) * 1000);
  // Only dates that start with a weekday are HTTP dates; `Date.parse` alone would take other texts for a year.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
