// Tests of the command line of `deno task report`.

import assert from "node:assert/strict";
import { parseReportArguments } from "../../../../worker/report/arguments.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

Deno.test("parseReportArguments() takes today, a day, or several that end with it", () => {
  assert.deepEqual(parseReportArguments([], NOW), { days: ["2026-03-01"], format: "text" });
  const asked = parseReportArguments(["--day", "2026-03-01", "--days", "3", "--csv"], 0);
  assert.deepEqual(asked, { days: ["2026-02-27", "2026-02-28", "2026-03-01"], format: "csv" });
});

Deno.test("parseReportArguments() refuses what is no day, no number, or two formats", () => {
  for (
    const args of [["--day", "27.11."], ["--day", "2026-13-01"], ["--days", "0"], ["--days", "x"], [
      "--csv",
      "--json",
    ]]
  ) assert.throws(() => parseReportArguments(args, NOW), /--(day|days|json)/);
});
