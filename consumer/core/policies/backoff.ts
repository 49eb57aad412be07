// Backoff: how long a retry waits.

/** Bounds of the wait, both in ms. */
export interface BackoffConfig {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Exponential backoff with full jitter: a random wait between 0 and `firstMs` doubled for every failure after the
 * first, at most `maxMs`. At least 1 ms, so that a retry is never immediate.
 *
 * @param failures how often it failed so far, from 1.
 * @param random from 0 (inclusive) to 1 (exclusive).
 */
export function backoffMs({ firstMs, maxMs }: BackoffConfig, failures: number, random: () => number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30));
  return Math.max(1, Math.round(random() * ceiling));
}
