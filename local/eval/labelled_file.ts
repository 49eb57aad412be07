// A file of labelled tickets, which labels are compared with. Pure.

import { z } from "zod";

/** A ticket whose label is known. */
export interface JudgedTicket {
  readonly subject: string;
  readonly body: string;
  readonly category: string;
  /** ISO 639-1, where the file says it. */
  readonly language: string | undefined;
}

/** What a file holds, and what is wrong with it, line by line. */
export interface LabelledFile {
  readonly tickets: readonly JudgedTicket[];
  readonly problems: readonly string[];
}

const lineSchema = z.object({
  subject: z.string().default(""),
  body: z.string(),
  category: z.string().min(1),
  language: z.string().optional(),
});

/** Reads JSON lines; a line that is not a labelled ticket is a problem, and the others are read all the same. */
export function readLabelledFile(text: string): LabelledFile {
  const tickets: JudgedTicket[] = [];
  const problems: string[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = lineSchema.safeParse(parseJson(line));
    if (read.success) tickets.push({ ...read.data, language: read.data.language });
    else problems.push(`Line ${at + 1}: ${explain(read.error)}`);
  }
  return { tickets, problems };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function explain({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) =>
    path.length === 0 ? "is not a JSON object" : `${path.join(".")}: ${message}`
  )
    .join("; ");
}
