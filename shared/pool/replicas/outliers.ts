// Outliers: replicas that fail so much more often than the others that they are left alone. Pure.

/** How failures are weighed. */
export const OUTLIER = {
  windowMs: 30_000,
  /** Fewer attempts say nothing. */
  attemptsMin: 20,
  /** Failures of all attempts, and so much more than the others' share, make an outlier. */
  share: 0.3,
  above: 0.2,
} as const;

/** Whether a replica fails so much more often than the others that it is an outlier. */
export function isOutlier(
  own: { readonly attempts: number; readonly failures: number },
  others: { readonly attempts: number; readonly failures: number },
): boolean {
  if (own.attempts < OUTLIER.attemptsMin || others.attempts < OUTLIER.attemptsMin) return false;
  const share = own.failures / own.attempts;
  return share >= OUTLIER.share && share >= others.failures / others.attempts + OUTLIER.above;
}
