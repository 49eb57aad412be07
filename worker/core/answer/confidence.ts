// Confidence of a label: how sure the model was of the tokens that make up the category.

import type { Span } from "./lenient_json.ts";

/** One token of an answer. Tokens joined together are the answer. */
export interface TokenProbability {
  readonly token: string;
  /** Natural logarithm of its probability. */
  readonly logprob: number;
}

/**
 * The probability of a stretch of the content, 0..1: the product over the tokens that overlap it. Null when the provider
 * gave no tokens, or tokens that do not make up the content. `offset` is where the content begins among the tokens.
 */
export function spanConfidence(
  content: string,
  span: Span | undefined,
  tokens: readonly TokenProbability[],
  offset = 0,
): number | null {
  if (span === undefined || tokens.length === 0) return null;
  let [start, sum, covered] = [-offset, 0, ""];
  let first: number | undefined;
  for (const { token, logprob } of tokens) {
    const end = start + token.length;
    if (end > span.from && start < span.to) {
      first ??= start;
      covered += token;
      sum += logprob;
    }
    start = end;
    if (start >= span.to) break;
  }
  if (first === undefined || start < span.to || !Number.isFinite(sum)) return null;
  const stretch = covered.slice(span.from - first, span.to - first);
  return stretch === content.slice(span.from, span.to) ? Math.min(1, Math.exp(sum)) : null;
}

/**
 * A confidence with its log-odds divided by a temperature (Guo et al. 2017, temperature scaling for two outcomes): above 1
 * an overconfident model is taken down, below 1 a shy one up. `deno task eval` measures how well the result is calibrated.
 */
export function calibrated(confidence: number, temperature: number): number {
  if (temperature === 1 || confidence <= 0 || confidence >= 1) return confidence;
  return 1 / (1 + ((1 - confidence) / confidence) ** (1 / temperature));
}
