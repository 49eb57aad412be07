// The result of an evaluation, before it is written as text, JSON or HTML. Types alone.

import type { Statistics } from "../statistics.ts";
import type { Comparison } from "../mcnemar.ts";

/** The result of an evaluation, before it is written as text, JSON or HTML. */
export interface Report {
  /** Which tickets were judged: a path, or what the default set is. */
  readonly set: string;
  /** ISO 8601. */
  readonly at: string;
  readonly concurrency: number;
  readonly subjects: readonly Statistics[];
  /** First subject against second; null for one subject. */
  readonly comparison: Comparison | null;
}

/** A share as people write it: `85.7%`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** US dollars, with as many decimals as small sums need. */
export function dollars(usd: number | null): string {
  if (usd === null) return "price not known";
  return `$${usd.toFixed(usd > 0 && usd < 1 ? 4 : 2)}`;
}

/** McNemar's test in a sentence. */
export function comparisonSentence({ subjects, comparison }: Report): string {
  const [first, second] = subjects;
  if (comparison === null || first === undefined || second === undefined) return "";
  const { onlyFirstRight, onlySecondRight, pValue } = comparison;
  const figures =
    `${onlyFirstRight} only ${first.subject} has right, ${onlySecondRight} only ${second.subject}; McNemar's exact p = ${
      pValue < 0.0001 ? "<0.0001" : pValue.toFixed(4)
    }`;
  if (pValue >= 0.05) return `${figures}: the difference may well be chance.`;
  const better = onlyFirstRight > onlySecondRight ? first : second;
  return `${figures}: ${better.subject} is better, beyond chance.`;
}
