// The name that a misspelt one probably means. Pure.

/** The candidate that a few letters turn the word into; undefined where none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.min(3, Math.floor(word.length / 3));
  let best: string | undefined;
  let leastEdits = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= leastEdits) continue;
    const edits = editDistance(word, candidate);
    if (edits < leastEdits) [best, leastEdits] = [candidate, edits];
  }
  return best;
}

/** Letters added, left out, replaced, or exchanged with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  const cell = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = cell(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      rows[i]?.push(Math.min(
        replaced,
        cell(i - 1, j) + 1,
        cell(i, j - 1) + 1,
        exchanged ? cell(i - 2, j - 2) + 1 : Infinity,
      ));
    }
  }
  return cell(a.length, b.length);
}
