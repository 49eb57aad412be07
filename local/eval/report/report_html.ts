// The report as one HTML file with charts that needs no network. Pure.

import type { Statistics } from "../statistics.ts";
import { calibrationChart, confusionChart, escaped, labelChart } from "./charts.ts";
import { comparisonSentence, dollars, percent, type Report } from "./report.ts";

const STYLE = `:root{color-scheme:light dark;--right:#2f7d4f;--wrong:#c2410c;--second:#3b6fb5}
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
svg{max-width:100%;height:auto;font:12px system-ui,sans-serif}svg text{fill:currentColor}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #8884}
th:first-child,td:first-child{text-align:left}.pictures{display:flex;flex-wrap:wrap;gap:1.5rem;align-items:flex-start}
.first{color:var(--right)}.second{color:var(--second)}footer{margin-top:2rem;opacity:.7}`;

/** The whole page. */
export function reportHtml(report: Report): string {
  const { subjects } = report;
  const names = subjects.map(({ subject }) => subject).join(" against ");
  const sentence = comparisonSentence(report);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evaluation: ${escaped(names)}</title><style>${STYLE}</style></head><body>
<h1>Evaluation: ${escaped(names)}</h1>
<p>${escaped(report.set)}; ${report.concurrency} at once</p>
${sentence === "" ? "" : `<p><strong>${escaped(sentence)}</strong></p>`}
${overview(subjects)}
<h2>F1 of each label</h2>
${labelChart(subjects)}
${subjects.map(subjectSection).join("\n")}
<footer>${escaped(report.at)}</footer>
</body></html>
`;
}

function overview(subjects: readonly Statistics[]): string {
  const rows: readonly (readonly [string, (figures: Statistics) => string])[] = [
    ["tickets", ({ tickets }) => String(tickets)],
    [
      "accuracy (95%)",
      ({ accuracy, accuracyInterval: [low, high] }) =>
        `${percent(accuracy)} (${percent(low)} to ${percent(high)})`,
    ],
    ["macro-F1", ({ macroF1 }) => macroF1.toFixed(3)],
    [
      "calibration error (ECE)",
      ({ calibration }) => calibration === null ? "no confidences" : calibration.ece.toFixed(3),
    ],
    ["tokens in / out", ({ tokens }) => `${tokens.input} / ${tokens.output}`],
    ["cost", ({ costUsd }) => dollars(costUsd)],
    ["p50 / p95", ({ latency }) => `${latency.p50Ms.toFixed(0)} / ${latency.p95Ms.toFixed(0)} ms`],
    [
      "no answer",
      ({ failures }) =>
        Object.entries(failures).map(([reason, count]) => `${reason} × ${count}`).join(", ") || "0",
    ],
  ];
  const head = subjects.map(({ subject }, at) =>
    `<th class="${at === 0 ? "first" : "second"}">${escaped(subject)}</th>`
  );
  const body = rows.map(([name, value]) =>
    `<tr><td>${name}</td>${subjects.map((figures) => `<td>${escaped(value(figures))}</td>`).join("")}</tr>`
  );
  return `<table><tr><th></th>${head.join("")}</tr>${body.join("")}</table>`;
}

function subjectSection(figures: Statistics): string {
  const rows = figures.labels.map(({ label, precision, recall, f1, support }) =>
    `<tr><td>${escaped(label)}</td><td>${precision.toFixed(3)}</td><td>${recall.toFixed(3)}</td><td>${
      f1.toFixed(3)
    }</td><td>${support}</td></tr>`
  );
  const languages = figures.languages.map(({ language, tickets, accuracy }) =>
    `<tr><td>${escaped(language)}</td><td>${percent(accuracy)}</td><td>${tickets}</td></tr>`
  );
  return `<h2>${escaped(figures.subject)}</h2>
<div class="pictures">${confusionChart(figures)}${calibrationChart(figures)}</div>
<div class="pictures"><table><tr><th>label</th><th>precision</th><th>recall</th><th>F1</th><th>tickets</th></tr>${
    rows.join("")
  }</table>${
    languages.length < 2
      ? ""
      : `<table><tr><th>language</th><th>accuracy</th><th>tickets</th></tr>${languages.join("")}</table>`
  }</div>
${mistakesTable(figures)}`;
}

/** A page with all mistakes of a large set would be slow. */
const MISTAKES_SHOWN = 500;

function mistakesTable({ mistakes }: Statistics): string {
  if (mistakes.length === 0) return "";
  const rows = mistakes.slice(0, MISTAKES_SHOWN).map(({ text, truth, answer, confidence }) =>
    `<tr><td>${escaped(text)}</td><td>${escaped(truth)}</td><td>${escaped(answer)}</td><td>${
      confidence === null ? "" : confidence.toFixed(2)
    }</td></tr>`
  );
  return `<h3>Wrong, the surest first (${mistakes.length})</h3>
<table><tr><th>ticket</th><th>truth</th><th>answer</th><th>confidence</th></tr>${rows.join("")}</table>`;
}
