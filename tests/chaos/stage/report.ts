// Reports of the campaigns: aligned text on the terminal, and a file that is kept.

const FOLDER = new URL("../reports/", import.meta.url).pathname;
const encoder = new TextEncoder();

/** Rows of a table; the first one is its head. */
export type Table = readonly (readonly (string | number)[])[];

/** What a campaign found. */
export interface Findings {
  readonly title: string;
  /** The command that repeats it. */
  readonly command: string;
  readonly tables: readonly Table[];
  /** What must not be; none is success. */
  readonly faults: readonly string[];
}

/** A Markdown table with aligned columns. */
export function markdownTable(table: Table): string {
  const [head = [], ...rows] = table.map((row) => row.map(String));
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => (row[column] ?? "").length))
  );
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The findings as Markdown. */
export function markdownReport({ title, command, tables, faults }: Findings): string {
  const verdict = faults.length === 0
    ? "Passed: nothing that must not be."
    : `Failed:\n${faults.map((fault) => `- ${fault}`).join("\n")}`;
  return [`# ${title}`, `\`${command}\``, ...tables.map(markdownTable), verdict].join("\n\n") + "\n";
}

/** Prints the findings and keeps them as `reports/<name>.md`. `services` says what they were measured with. */
export async function publish(
  name: string,
  findings: Findings,
  services = "Kafka 4.1.0, PostgreSQL",
): Promise<void> {
  const text = `${markdownReport(findings)}\n${circumstances(services)}\n`;
  print(`\n${text}`);
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeTextFile(`${FOLDER}${name}.md`, text);
}

function circumstances(services: string): string {
  const { hardwareConcurrency } = navigator;
  return `Measured on ${new Date().toISOString().slice(0, 10)} with ${services} and all processes on one ` +
    `machine with ${hardwareConcurrency} cores, Deno ${Deno.version.deno}.\n\n` +
    `The machine's load average was ${Deno.loadavg().map((load) => load.toFixed(1)).join(", ")}.`;
}

/** Writes to standard output. */
export function print(text: string): void {
  const bytes = encoder.encode(text);
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}

/** Prints progress on standard error, with the seconds since the start. */
export function progress(): (what: string) => void {
  const startedMs = performance.now();
  return (what) => {
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(7);
    Deno.stderr.writeSync(encoder.encode(`${seconds} s  ${what}\n`));
  };
}
