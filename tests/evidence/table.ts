// EVIDENCE.md as text: a row for each promise, its figures from the result files.

import { EVIDENCE, type Evidence } from "./promises.ts";
import { readResult, type Result } from "./results.ts";

const HEAD = `# Evidence

Each promise of the README: the command that shows it, what it printed when it was last run, what it does not show, and
a planted fault that makes it fail. \`deno task evidence\` writes this page from the files in
\`tests/evidence/results/\`; \`deno task evidence --run ID\` runs a row's command and keeps its figures,
\`--fault ID\` plants its fault in a copy and expects a failure. Faults marked ○ are planted by
\`tests/simulation/defects_test.ts\` in every run of CI.

| promise | command | last run | does not show | planted fault |
| --- | --- | --- | --- | --- |
`;

/** The whole page. */
export function evidencePage(): string {
  return `${HEAD}${EVIDENCE.map((row) => rowOf(row, readResult(row.id))).join("\n")}\n`;
}

function rowOf(row: Evidence, result: Result | undefined): string {
  const cells = [
    `<a id="${row.id}"></a>${row.promises.join(" ")}`,
    `\`${row.command}\``,
    result === undefined ? "not yet run" : lastRun(result),
    row.doesNotShow,
    faultText(row, result),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function lastRun({ figures, date, seconds, exitCode, commit }: Result): string {
  const stated = Object.entries(figures).map(([name, value]) =>
    `${value.toLocaleString("en")} ${name.replaceAll("_", " ")}`
  );
  const end = exitCode === 0 ? "" : `, **exit code ${exitCode}**`;
  return `${stated.join(", ")}; ${date}, ${commit}, ${seconds} s${end}`;
}

function faultText({ fault }: Evidence, result: Result | undefined): string {
  if (typeof fault === "string") return `${fault} ○`;
  if (result?.faultFound === undefined) return `${fault.name} (not yet planted)`;
  return `${fault.name}: ${result.faultFound ? "found" : "**not found**"} by \`${fault.fails}\``;
}
