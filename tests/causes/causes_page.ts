// causesPage(): docs/causes.md, a row a trouble: what was said of it and after how long.

/** What was said of one trouble. */
export interface Seen {
  readonly trouble: string;
  readonly namedMs: number;
  readonly goneMs: number;
  readonly why: string;
  readonly remedy: string;
  readonly readyz: string;
  readonly screen: string;
  readonly lag: string;
}

/** The whole page, in Markdown. */
export function causesPage(seen: readonly Seen[]): string {
  const head = ["trouble", "why", "what to do", "`/readyz`", "on start's screen", "`lag`", "named", "gone"];
  const rows = seen.map(({ trouble, why, remedy, readyz, screen, lag, namedMs, goneMs }) => [
    trouble,
    why,
    remedy,
    readyz,
    screen,
    lag,
    `${(namedMs / 1000).toFixed(1)} s`,
    `${(goneMs / 1000).toFixed(1)} s`,
  ]);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    "# What is said of each trouble\n",
    "`deno task causes` plants each of these in a stack of its own and writes this page: what `deno task why`,",
    "`/readyz`, `start`'s screen and `deno task lag` say, word for word, and after how many seconds they begin and",
    "stop to say so.\n",
    line(head),
    line(head.map(() => "---")),
    ...rows.map(line),
    "",
  ].join("\n");
}
