// Features of a ticket's words: hashed words and word pieces, weighted by TF-IDF. Pure.

import { fnv1a } from "../tickets.ts";

/** A vector that is zero nearly everywhere: `values[i]` stands at `indices[i]`. */
export interface SparseVector {
  readonly indices: Int32Array;
  readonly values: Float32Array;
}

/** How rare each bucket is, learned from the training texts. */
export interface LexicalWeights {
  readonly idf: Float32Array;
}

/** The number of buckets words are hashed into. */
export const LEXICAL_DIMENSIONS = 8192;

const PIECE_LENGTHS = [4, 5] as const;

/** The words of a text and the pieces of its longer words, accents kept off, in lower case. */
export function lexicalTerms(text: string): readonly string[] {
  const words = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const terms: string[] = [];
  for (const [at, word] of words.entries()) {
    terms.push(word);
    const next = words[at + 1];
    if (next !== undefined) terms.push(`${word} ${next}`);
    const padded = `<${word}>`;
    for (const length of PIECE_LENGTHS) {
      for (let from = 0; from + length <= padded.length; from++) {
        terms.push(`#${padded.slice(from, from + length)}`);
      }
    }
  }
  return terms;
}

/** Counts in how many of the texts each bucket occurs. */
export function learnLexicalWeights(texts: readonly string[]): LexicalWeights {
  const documents = new Float32Array(LEXICAL_DIMENSIONS);
  for (const text of texts) {
    for (const bucket of countBuckets(text).keys()) documents[bucket] = (documents[bucket] ?? 0) + 1;
  }
  return { idf: documents.map((count) => Math.log((1 + texts.length) / (1 + count)) + 1) };
}

/** The text as a vector of length 1 (or 0 where it has no words). */
export function lexicalVector(text: string, { idf }: LexicalWeights): SparseVector {
  const counts = [...countBuckets(text)].sort(([left], [right]) => left - right);
  const indices = Int32Array.from(counts, ([bucket]) => bucket);
  const values = Float32Array.from(counts, ([bucket, count]) => (1 + Math.log(count)) * (idf[bucket] ?? 0));
  const norm = Math.hypot(...values);
  return { indices, values: norm === 0 ? values : values.map((value) => value / norm) };
}

function countBuckets(text: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const term of lexicalTerms(text)) {
    const bucket = fnv1a(term) % LEXICAL_DIMENSIONS;
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  return counts;
}
