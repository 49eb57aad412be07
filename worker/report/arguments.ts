// The command line of `deno task report`.

import { parseFlags, type Program, UsageError } from "../../shared/process/command_line.ts";

const DAY_MS = 86_400_000;

/** The program, as its help shows it. */
export const REPORT = {
  task: "report",
  usage:
    "Shows a day's labels by category with what people said of them, and what the day's calls of the LLM cost.",
  takesArguments: true,
  options: {
    day: { type: "string", value: "YYYY-MM-DD", about: "which day (UTC); today where none is given" },
    days: { type: "string", value: "N", default: "1", about: "so many days, the last of them that one" },
    json: { type: "boolean", default: false, about: "for machines" },
    csv: {
      type: "boolean",
      default: false,
      about: "for spreadsheets: a row for each day, category and model",
    },
  },
  examples: [
    ["report", "today until now"],
    ["report --day 2026-11-27", "one day"],
    ["report --days 30 --csv > november.csv", "a month"],
  ],
  notes: "It reads the database of DATABASE_URL and changes nothing.",
} as const satisfies Program;

/** What is asked. */
export interface ReportArguments {
  /** `2026-11-27`, oldest first. */
  readonly days: readonly string[];
  readonly format: "text" | "json" | "csv";
}

/**
 * Reads the command line.
 *
 * @param nowMs since the epoch.
 * @throws {UsageError} with a message for people.
 */
export function parseReportArguments(args: readonly string[], nowMs: number): ReportArguments {
  const { values } = parseFlags({ args, options: REPORT.options });
  const last = values.day ?? new Date(nowMs).toISOString().slice(0, 10);
  const lastMs = Date.parse(`${last}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(last) || Number.isNaN(lastMs)) {
    throw new UsageError(`--day is no day such as 2026-11-27: current value is "${last}"`);
  }
  if (!/^[1-9]\d{0,2}$/.test(values.days)) {
    throw new UsageError(`--days is not a whole number from 1 to 999: current value is "${values.days}"`);
  }
  if (values.json && values.csv) throw new UsageError("--json and --csv exclude each other");
  const count = Number(values.days);
  return {
    days: Array.from(
      { length: count },
      (_, at) => new Date(lastMs - (count - 1 - at) * DAY_MS).toISOString().slice(0, 10),
    ),
    format: values.json ? "json" : values.csv ? "csv" : "text",
  };
}
