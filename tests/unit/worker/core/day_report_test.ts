// Tests of a day's report, for people and for spreadsheets.

import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { type DayReport, dayReportsCsv, dayReportText } from "../../../../worker/core/day_report.ts";

const REPORT: DayReport = {
  day: "2026-11-27",
  categories: [
    { category: "bug", labels: 30, reviewed: 6, overridden: 3, meanConfidence: 0.913 },
    { category: '=cmd, "x"', labels: 10, reviewed: 0, overridden: 0, meanConfidence: null },
  ],
  models: [
    { model: "gpt", calls: 41, inputTokens: 16_400, outputTokens: 1_230, usd: 0.0123456, unpricedCalls: 0 },
    { model: "local", calls: 2, inputTokens: 800, outputTokens: 60, usd: 0, unpricedCalls: 2 },
    { model: "", calls: 3, inputTokens: 1, outputTokens: 1, usd: 0.5, unpricedCalls: 1 },
  ],
};

Deno.test("dayReportText() adds the categories up and says which prices are not known", () => {
  const lines = dayReportText(REPORT).split("\n").map((line) => line.trim().split(/ {2,}/));
  assert.deepEqual(lines, [
    ["2026-11-27 (UTC)"],
    [""],
    ["CATEGORY", "LABELS", "REVIEWED", "OVERRIDDEN", "CONFIDENCE"],
    ["bug", "30", "6 (20.0%)", "3 (10.0%)", "0.91"],
    ['=cmd, "x"', "10", "0 (0.0%)", "0 (0.0%)", "-"],
    ["all", "40", "6 (15.0%)", "3 (7.5%)", "-"],
    [""],
    ["MODEL", "CALLS", "INPUT TOKENS", "OUTPUT TOKENS", "US DOLLARS"],
    ["gpt", "41", "16400", "1230", "0.0123"],
    ["local", "2", "800", "60", "no price known"],
    ["(not kept)", "3", "1", "1", "0.5000 and 1 calls without a price"],
    [""],
  ]);
  const empty = dayReportText({ day: "2026-11-28", categories: [], models: [] });
  assert.match(empty, /No labels were bought[^]*No calls were paid for/);
});

Deno.test("dayReportsCsv() is read back by a CSV reader, and no name is a formula", () => {
  const rows = parse(dayReportsCsv([REPORT]), { columns: true }) as Record<string, string>[];
  assert.equal(rows.length, 5);
  assert.deepEqual([rows[0]?.["labels"], rows[0]?.["overridden"], rows[0]?.["usd"]], ["30", "3", ""]);
  assert.equal(rows[1]?.["name"], `'=cmd, "x"`);
  assert.deepEqual([rows[2]?.["kind"], rows[2]?.["calls"], rows[2]?.["usd"]], ["model", "41", "0.0123456"]);
});
