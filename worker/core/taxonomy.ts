// Taxonomy: the labels a ticket can get, read from a file and checked.

import { z } from "zod";

/** One label. The name is what lands in `tickets.category`. */
export interface LabelDefinition {
  readonly name: string;
  /** What belongs here, for the model and for people. */
  readonly description: string;
  /** Tickets that belong here, a sentence each. */
  readonly examples: readonly string[];
}

/** The labels, in the order the prompt lists them. */
export interface Taxonomy {
  readonly labels: readonly LabelDefinition[];
}

const taxonomySchema = z.object({
  labels: z.array(z.object({
    name: z.string(),
    description: z.string(),
    examples: z.array(z.string()).default([]),
  })),
});

/** The taxonomy cannot be used. The message has one line a problem. */
export class TaxonomyError extends Error {
  override readonly name = "TaxonomyError";
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/**
 * Reads a taxonomy from the parsed JSON of its file.
 *
 * @throws {TaxonomyError} naming every problem at once.
 */
export function parseTaxonomy(json: unknown): Taxonomy {
  const read = taxonomySchema.safeParse(json);
  if (!read.success) {
    throw new TaxonomyError(
      read.error.issues.map((issue) => `Taxonomy: ${issue.path.join(".") || "the file"}: ${issue.message}`),
    );
  }
  const problems = problemsOf(read.data);
  if (problems.length > 0) throw new TaxonomyError(problems);
  return read.data;
}

/** The label's name if the taxonomy has it, exactly as it is written there. */
export function labelNamed(taxonomy: Taxonomy, name: string): string | undefined {
  // Nearly every answer has the name as it is written.
  if (taxonomy.labels.some((label) => label.name === name)) return name;
  const wanted = normalised(name);
  return taxonomy.labels.find((label) => normalised(label.name) === wanted)?.name;
}

/** Names in the taxonomy's order. */
export function labelNames(taxonomy: Taxonomy): readonly string[] {
  return taxonomy.labels.map((label) => label.name);
}

function problemsOf({ labels }: Taxonomy): string[] {
  const problems: string[] = [];
  if (labels.length < 2) problems.push(`Taxonomy has fewer than two labels: it has ${labels.length}`);
  const seen = new Set<string>();
  for (const [at, { name, description }] of labels.entries()) {
    const shown = JSON.stringify(name);
    if (!/^[\p{L}\p{N}](?:[\p{L}\p{N}_ .&/-]{0,62}[\p{L}\p{N}])?$/u.test(name)) {
      problems.push(
        `Taxonomy label ${at + 1} has a name that is not 1 to 64 letters, digits or _ . & / -: ${shown}`,
      );
    }
    if (description.trim() === "") problems.push(`Taxonomy label ${shown} has an empty description`);
    if (seen.has(normalised(name))) problems.push(`Taxonomy label ${shown} is there twice`);
    seen.add(normalised(name));
  }
  return problems;
}

/** Two labels that differ only in case, spaces, hyphens or underscores are one. */
function normalised(name: string): string {
  return name.normalize("NFKC").toLowerCase().replace(/[\s_-]+/g, "_");
}
