// A file of labelled tickets, which labels are compared with: JSON lines, a JSON array, or CSV. Pure.

import { CsvError, parse } from "csv-parse/sync";
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

/** What exports call our fields; the first that is there counts. */
const COLUMNS: readonly (readonly [keyof JudgedTicket, readonly string[]])[] = [
  ["subject", ["subject", "title", "summary"]],
  ["body", ["body", "description", "text", "message", "content"]],
  ["category", ["category", "label"]],
  ["language", ["language"]],
];

/** Reads a file, whatever its form; a row that is no labelled ticket is a problem, and the others are read all the same. */
export function readLabelledFile(text: string): LabelledFile {
  const start = text.replace(/^\ufeff/, "").trimStart();
  if (start.startsWith("{") || start === "") return readRows("Line", linesOf(start));
  if (start.startsWith("[")) return readArray(start);
  try {
    return readRows("Row", recordsOf(start));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { tickets: [], problems: [`It is neither JSON lines nor CSV: ${error.message}`] };
  }
}

function readRows(word: string, rows: Iterable<readonly [at: number, row: unknown]>): LabelledFile {
  const tickets: JudgedTicket[] = [];
  const problems: string[] = [];
  for (const [at, row] of rows) {
    const read = lineSchema.safeParse(row);
    if (read.success) tickets.push({ ...read.data, language: read.data.language });
    else problems.push(`${word} ${at}: ${explain(read.error)}`);
  }
  return { tickets, problems };
}

function linesOf(text: string): (readonly [number, unknown])[] {
  return text.split("\n").flatMap((line, at) =>
    line.trim() === "" ? [] : [[at + 1, parseJson(line)] as const]
  );
}

function readArray(text: string): LabelledFile {
  const rows = parseJson(text);
  if (!Array.isArray(rows)) return { tickets: [], problems: ["It begins as a JSON array and is none"] };
  return readRows("Ticket", rows.map((row, at) => [at + 1, row] as const));
}

/** @throws {CsvError} */
function recordsOf(text: string): (readonly [number, unknown])[] {
  const [head = "", ...others] = text.split(/\r?\n/, 1);
  const delimiter = [",", ";", "\t"].find((each) => [head, ...others].join("").includes(each)) ?? ",";
  const rows: readonly Record<string, string>[] = parse(text, {
    columns: (names: readonly string[]) => names.map((name) => name.trim().toLowerCase()),
    delimiter,
    skip_empty_lines: true,
  });
  return rows.map((row, at) => [at + 1, ticketOf(row)] as const);
}

function ticketOf(row: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    COLUMNS.flatMap(([field, names]) => {
      const value = names.map((name) => row[name]).find((each) => each !== undefined);
      return value === undefined || (value === "" && field === "language") ? [] : [[field, value]];
    }),
  );
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
