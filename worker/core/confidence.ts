// How sure the model was of the category, from the log-probabilities of the tokens it is made of.

/** One token of an answer. Tokens joined together are the answer. */
export interface TokenProbability {
  readonly token: string;
  /** Natural logarithm of its probability. */
  readonly logprob: number;
}

/**
 * The probability of the category, 0..1: the product over the tokens that overlap its value. Null when the provider
 * gave no tokens, or tokens that do not make up the content. `offset` is where the content begins among the tokens.
 */
export function categoryConfidence(
  content: string,
  tokens: readonly TokenProbability[],
  offset = 0,
): number | null {
  const span = categorySpan(content);
  if (span === undefined || tokens.length === 0) return null;
  let [start, sum, overlapping] = [-offset, 0, 0];
  for (const { token, logprob } of tokens) {
    const end = start + token.length;
    if (end > span.from && start < span.to) {
      sum += logprob;
      overlapping++;
    }
    start = end;
    if (start >= span.to) break;
  }
  if (overlapping === 0 || start < span.to || !Number.isFinite(sum)) return null;
  return Math.min(1, Math.exp(sum));
}

/** Where the category's value stands in the content, without its quotes; the whole of a plain-text answer. */
function categorySpan(content: string): { readonly from: number; readonly to: number } | undefined {
  const match = /"category"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(content);
  const value = match?.[1];
  if (match !== null && value !== undefined) {
    const to = match.index + match[0].length - 1;
    return { from: to - value.length, to };
  }
  return content.includes("{") || content.trim() === ""
    ? undefined
    : { from: 0, to: content.trimEnd().length };
}

/**
 * A confidence with its log-odds divided by a temperature (Guo et al. 2017, temperature scaling for two outcomes): above 1
 * an overconfident model is taken down, below 1 a shy one up. `deno task eval` measures how well the result is calibrated.
 */
export function calibrated(confidence: number, temperature: number): number {
  if (temperature === 1 || confidence <= 0 || confidence >= 1) return confidence;
  return 1 / (1 + ((1 - confidence) / confidence) ** (1 / temperature));
}
