// Report of a day: labels with what people said of them, and calls with what they cost; as text and as CSV.

import { textTable } from "../../shared/text_table.ts";

/** Labels of one category that were bought on the day. */
export interface CategoryLine {
  readonly category: string;
  readonly labels: number;
  /** Of those, the ones a human has decided about. */
  readonly reviewed: number;
  /** Of those, the ones a human has given another label. */
  readonly overridden: number;
  /** Null where no provider gave one. */
  readonly meanConfidence: number | null;
}

/** Calls of one model. */
export interface ModelLine {
  /** Empty for what was spent before models were kept. */
  readonly model: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
  /** Calls whose price is not known, which `usd` leaves out. */
  readonly unpricedCalls: number;
}

/** A day (UTC). */
export interface DayReport {
  /** `2026-11-27`. */
  readonly day: string;
  readonly categories: readonly CategoryLine[];
  readonly models: readonly ModelLine[];
}

/** The report for people. */
export function dayReportText({ day, categories, models }: DayReport): string {
  const labels = categories.length === 0 ? "No labels were bought." : textTable([
    ["CATEGORY", "LABELS", "REVIEWED", "OVERRIDDEN", "CONFIDENCE"],
    ...[...categories, total(categories)].map((line) => [
      line.category,
      String(line.labels),
      `${line.reviewed} (${percent(line.reviewed, line.labels)})`,
      `${line.overridden} (${percent(line.overridden, line.labels)})`,
      line.meanConfidence === null ? "-" : line.meanConfidence.toFixed(2),
    ]),
  ]);
  const calls = models.length === 0 ? "No calls were paid for." : textTable([
    ["MODEL", "CALLS", "INPUT TOKENS", "OUTPUT TOKENS", "US DOLLARS"],
    ...models.map((line) => [
      line.model === "" ? "(not kept)" : line.model,
      String(line.calls),
      String(line.inputTokens),
      String(line.outputTokens),
      cost(line),
    ]),
  ]);
  return `${day} (UTC)\n\n${labels}\n\n${calls}\n`;
}

const CSV_HEAD =
  "day,kind,name,labels,reviewed,overridden,mean_confidence,calls,input_tokens,output_tokens,usd,unpriced_calls";

/** Reports as CSV (RFC 4180): a row a category, then a row a model, of each day. */
export function dayReportsCsv(reports: readonly DayReport[]): string {
  const rows = reports.flatMap(({ day, categories, models }) => [
    ...categories.map((line) => [
      day,
      "category",
      line.category,
      line.labels,
      line.reviewed,
      line.overridden,
      line.meanConfidence ?? "",
      ...["", "", "", "", ""],
    ]),
    ...models.map((line) => [
      day,
      "model",
      line.model,
      ...["", "", "", ""],
      line.calls,
      line.inputTokens,
      line.outputTokens,
      line.usd,
      line.unpricedCalls,
    ]),
  ]);
  return [CSV_HEAD, ...rows.map((row) => row.map(csvField).join(","))].map((line) => `${line}\r\n`).join("");
}

function total(lines: readonly CategoryLine[]): CategoryLine {
  const sum = (of: (line: CategoryLine) => number) => lines.reduce((so, line) => so + of(line), 0);
  return {
    category: "all",
    labels: sum(({ labels }) => labels),
    reviewed: sum(({ reviewed }) => reviewed),
    overridden: sum(({ overridden }) => overridden),
    meanConfidence: null,
  };
}

function cost({ usd, calls, unpricedCalls }: ModelLine): string {
  if (unpricedCalls === 0) return usd.toFixed(4);
  return unpricedCalls >= calls
    ? "no price known"
    : `${usd.toFixed(4)} and ${unpricedCalls} calls without a price`;
}

function percent(part: number, whole: number): string {
  return `${(100 * part / whole).toFixed(1)}%`;
}

/** A name that begins as a formula does is none to a spreadsheet. */
function csvField(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
