// Labels of the tickets that a subject cannot give, because its taxonomy lacks them: each of those tickets is a mistake. Pure.

import type { JudgedTicket } from "./labelled_file.ts";

/** See the file's first line. */
export interface UnknownLabels {
  /** In a sentence, for people. */
  readonly sentence: string;
  /** No ticket at all can be labelled rightly. */
  readonly all: boolean;
}

const NAMED_MAX = 10;

/** Undefined where the taxonomy has every label, or is not known. */
export function unknownLabels(
  subject: string,
  tickets: readonly JudgedTicket[],
  labels: readonly string[] | undefined,
): UnknownLabels | undefined {
  if (labels === undefined) return undefined;
  const counts = new Map<string, number>();
  for (const { category } of tickets) {
    if (!labels.includes(category)) counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  if (counts.size === 0) return undefined;
  const unknown = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const names = [...counts].slice(0, NAMED_MAX).map(([name, count]) => `${JSON.stringify(name)} × ${count}`);
  const more = counts.size > NAMED_MAX ? ` and ${counts.size - NAMED_MAX} others` : "";
  return {
    all: unknown === tickets.length,
    sentence: `${unknown} of ${tickets.length} tickets have labels that the taxonomy of ${subject} lacks: ${
      names.join(", ")
    }${more}. It has ${labels.join(", ")}; another one: TAXONOMY_FILE or ${
      subject.split(",")[0]
    },taxonomy=FILE.json`,
  };
}
