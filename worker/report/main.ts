// The program `deno task report`: a day's labels and costs, out of the database.

import { readVariables } from "../../shared/config/read.ts";
import { EXIT, runMain } from "../../shared/process/main.ts";
import { StartError } from "../../shared/process/start_error.ts";
import { type DayReport, dayReportsCsv, dayReportText } from "../core/day_report.ts";
import { Database, storeFailure } from "../db/database.ts";
import { readDayReport } from "../db/day_reports.ts";
import { parseReportArguments, REPORT, type ReportArguments } from "./arguments.ts";

async function main(): Promise<number> {
  const { days, format } = parseReportArguments(Deno.args, Date.now());
  const { DATABASE_URL: url } = readVariables(["DATABASE_URL"], (name) => Deno.env.get(name));
  const database = new Database({ url, statementTimeoutMs: 60_000, connectionsMax: 1 });
  const reports: DayReport[] = [];
  try {
    for (const day of days) reports.push(await readDayReport(database, day));
  } catch (error) {
    const { cause, detail } = storeFailure(error);
    throw new StartError(
      `The database could not be read (${cause}): ${detail}. Check DATABASE_URL, and run deno task migrate`,
    );
  } finally {
    await database.close();
  }
  await print(written(reports, format));
  return EXIT.ok;
}

function written(reports: readonly DayReport[], format: ReportArguments["format"]): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(reports, undefined, 2)}\n`;
    case "csv":
      return dayReportsCsv(reports);
    case "text":
      return reports.map(dayReportText).join("\n");
    default:
      return format satisfies never;
  }
}

async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}

if (import.meta.main) await runMain(main, REPORT);
