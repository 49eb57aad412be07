// Charts of the HTML report as SVG: confusion matrix, calibration, labels side by side. Pure.

import type { Statistics } from "../statistics.ts";

const CELL = 64;
const LEFT = 130;
const TOP = 70;

/** The confusion matrix, darker where more of a row's tickets went. */
export function confusionChart({ confusion: { labels, rows } }: Statistics): string {
  const cells = rows.flatMap((row, down) => {
    const total = row.reduce((sum, count) => sum + count, 0) || 1;
    return row.map((count, across) =>
      cell(count, count / total, across, down, labels[across] === labels[down])
    );
  });
  const heads = labels.map((label, across) =>
    text(
      LEFT + across * CELL + CELL / 2,
      TOP - 10,
      label,
      `text-anchor="start" transform="rotate(-25 ${LEFT + across * CELL + CELL / 2} ${TOP - 10})"`,
    )
  );
  const sides = rows.map((_, down) =>
    text(LEFT - 8, TOP + down * CELL + CELL / 2 + 4, labels[down] ?? "", 'text-anchor="end"')
  );
  const size = { width: LEFT + labels.length * CELL + 90, height: TOP + rows.length * CELL + 10 };
  return picture("Confusion matrix: truth down, answer across", size, [...cells, ...heads, ...sides]);
}

function cell(count: number, share: number, across: number, down: number, right: boolean): string {
  const [x, y] = [LEFT + across * CELL, TOP + down * CELL];
  const colour = right ? "var(--right)" : "var(--wrong)";
  return `<rect x="${x}" y="${y}" width="${CELL - 2}" height="${CELL - 2}" fill="${colour}" fill-opacity="${
    (0.06 + share * 0.84).toFixed(3)
  }"/>${text(x + CELL / 2 - 1, y + CELL / 2 + 4, String(count), 'text-anchor="middle"')}`;
}

const PLOT = 240;
const MARGIN = 46;

/** How often answers of a given confidence are right; on the dashed line confidence tells the truth. */
export function calibrationChart({ calibration }: Statistics): string {
  if (calibration === null) return "";
  const most = Math.max(1, ...calibration.bins.map(({ count }) => count));
  const bars = calibration.bins.filter(({ count }) => count > 0).map(({ from, to, accuracy, count }) => {
    const height = accuracy * PLOT;
    const opacity = (0.25 + 0.75 * (count / most)).toFixed(3);
    return `<rect x="${MARGIN + from * PLOT + 1}" y="${MARGIN + PLOT - height}" width="${
      (to - from) * PLOT - 2
    }" height="${height.toFixed(1)}" fill="var(--right)" fill-opacity="${opacity}"><title>${count} answers, ${
      (accuracy * 100).toFixed(0)
    }% right</title></rect>`;
  });
  const axes = [0, 0.5, 1].flatMap((tick) => [
    text(MARGIN + tick * PLOT, MARGIN + PLOT + 18, String(tick), 'text-anchor="middle"'),
    text(MARGIN - 8, MARGIN + PLOT - tick * PLOT + 4, String(tick), 'text-anchor="end"'),
  ]);
  return picture("Calibration", { width: PLOT + 2 * MARGIN, height: PLOT + 2 * MARGIN }, [
    `<rect x="${MARGIN}" y="${MARGIN}" width="${PLOT}" height="${PLOT}" fill="none" stroke="currentColor" stroke-opacity=".3"/>`,
    ...bars,
    `<line x1="${MARGIN}" y1="${MARGIN + PLOT}" x2="${
      MARGIN + PLOT
    }" y2="${MARGIN}" stroke="currentColor" stroke-dasharray="4 4"/>`,
    ...axes,
    text(MARGIN + PLOT / 2, MARGIN + PLOT + 36, "confidence", 'text-anchor="middle"'),
    text(MARGIN + PLOT / 2, MARGIN - 14, "share that is right", 'text-anchor="middle"'),
  ]);
}

const BAR = 16;
const BARS_LEFT = 150;
const BARS_WIDTH = 300;

/** F1 of every label, one bar a subject. */
export function labelChart(subjects: readonly Statistics[]): string {
  const labels = subjects[0]?.labels ?? [];
  const step = BAR * subjects.length + 14;
  const rows = labels.flatMap(({ label }, down) => [
    text(BARS_LEFT - 8, 14 + down * step + (BAR * subjects.length) / 2 + 4, label, 'text-anchor="end"'),
    ...subjects.flatMap((subject, order) => {
      const f1 = subject.labels.find((one) => one.label === label)?.f1 ?? 0;
      const y = 14 + down * step + order * BAR;
      const colour = order === 0 ? "var(--right)" : "var(--second)";
      return [
        `<rect x="${BARS_LEFT}" y="${y}" width="${(f1 * BARS_WIDTH).toFixed(1)}" height="${
          BAR - 2
        }" fill="${colour}"/>`,
        text(BARS_LEFT + f1 * BARS_WIDTH + 6, y + 12, f1.toFixed(2), ""),
      ];
    }),
  ]);
  const size = { width: BARS_LEFT + BARS_WIDTH + 60, height: 20 + labels.length * step };
  return picture("F1 of each label", size, rows);
}

/** Text that cannot become markup. */
export function escaped(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function text(x: number, y: number, value: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(value)}</text>`;
}

function picture(
  title: string,
  size: { readonly width: number; readonly height: number },
  parts: readonly string[],
): string {
  return `<svg role="img" aria-label="${
    escaped(title)
  }" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}">${parts.join("")}</svg>`;
}
