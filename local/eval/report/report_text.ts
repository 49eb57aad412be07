// The report as text for a terminal. Pure.

import { printable } from "../../../shared/printable.ts";
import type { Statistics } from "../statistics.ts";
import { comparisonSentence, dollars, percent, type Report } from "./report.ts";

/** The report, ready to print. */
export function reportText(report: Report): string {
  const parts = report.subjects.map(figuresText);
  const sentence = comparisonSentence(report);
  return [
    `${report.set}, ${report.concurrency} at once`,
    ...parts,
    ...(sentence === "" ? [] : [sentence]),
    "",
  ].join("\n\n");
}

function figuresText(figures: Statistics): string {
  const { subject, tickets, accuracyInterval: [low, high], tokens, latency } = figures;
  return [
    `${subject}: ${tickets} tickets`,
    `  accuracy   ${percent(figures.accuracy)}  (95%: ${percent(low)} to ${percent(high)})`,
    `  macro-F1   ${figures.macroF1.toFixed(3)}`,
    `  ECE        ${calibrationText(figures)}`,
    `  tokens     ${tokens.input} in, ${tokens.output} out  (${dollars(figures.costUsd)})`,
    `  latency    p50 ${latency.p50Ms.toFixed(0)} ms, p95 ${latency.p95Ms.toFixed(0)} ms`,
    ...failuresText(figures),
    ...languagesText(figures),
    "",
    ...labelTable(figures),
    "",
    ...confusionTable(figures),
    ...mistakesText(figures),
  ].join("\n");
}

/** More are in the JSON and in the report with pictures. */
const MISTAKES_SHOWN = 20;

function mistakesText({ mistakes }: Statistics): readonly string[] {
  if (mistakes.length === 0) return [];
  const shown = mistakes.slice(0, MISTAKES_SHOWN);
  const more = mistakes.length - shown.length;
  return [
    "",
    "  wrong, the surest first (truth → answer)",
    ...shown.map(({ text, truth, answer, confidence }) =>
      `  ${confidence === null ? "   -" : confidence.toFixed(2)}  ${truth} → ${answer}  ${printable(text)}`
    ),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function calibrationText({ calibration }: Statistics): string {
  if (calibration === null) return "no confidences given";
  const { ece, temperature } = calibration;
  return `${ece.toFixed(3)}  (CONFIDENCE_TEMPERATURE × ${temperature.toFixed(2)} would fit best)`;
}

function failuresText({ failures }: Statistics): readonly string[] {
  const parts = Object.entries(failures).map(([reason, count]) => `${reason} × ${count}`);
  return parts.length === 0 ? [] : [`  no answer  ${parts.join(", ")}`];
}

function languagesText({ languages }: Statistics): readonly string[] {
  if (languages.length < 2) return [];
  const parts = languages.map(({ language, tickets, accuracy }) =>
    `${language} ${percent(accuracy)} of ${tickets}`
  );
  return [`  languages  ${parts.join(", ")}`];
}

function labelTable({ labels }: Statistics): readonly string[] {
  return table([
    ["label", "precision", "recall", "F1", "tickets"],
    ...labels.map(({ label, precision, recall, f1, support }) => [
      label,
      precision.toFixed(3),
      recall.toFixed(3),
      f1.toFixed(3),
      String(support),
    ]),
  ]);
}

function confusionTable({ confusion: { labels, rows } }: Statistics): readonly string[] {
  return table([
    ["truth \\ answer", ...labels],
    ...rows.map((row, at) => [labels[at] ?? "", ...row.map(String)]),
  ]);
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${
      row.map((cell, at) => at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)).join(
        "  ",
      )
    }`
  );
}
