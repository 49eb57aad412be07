// The header `Retry-After` (RFC 9110 section 10.2.3): seconds or an HTTP date.

/**
 * The wait in milliseconds that a `Retry-After` value asks for, counted from `nowMs`; a date in the past is 0.
 * Undefined when the value is neither delay-seconds nor a date.
 */
export function parseRetryAfter(value: string | null | undefined, nowMs: number): number | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Only dates that start with a weekday are HTTP dates; `Date.parse` alone would take "1.5" for a year.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
