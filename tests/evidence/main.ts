// `deno task evidence`: runs the commands behind the promises, plants faults in a copy, and writes EVIDENCE.md.

import { readModules } from "../support/module_graph.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { flagsOf, show } from "../support/test_command.ts";
import { pathExporting, withDefect } from "../simulation/planted.ts";
import { EVIDENCE, type Evidence, type PlantedFault } from "./promises.ts";
import { figuresIn, readResult, type Result, writeResult } from "./results.ts";
import { evidencePage } from "./table.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SOURCES = ["consumer", "worker", "shared", "local"];

/** Runs a command in a folder; what it prints is passed on and returned. */
async function runCommand(command: string, cwd: string): Promise<{ code: number; output: string }> {
  const [program = "", ...args] = command.split(" ");
  const path = program === "deno" ? Deno.execPath() : program;
  const child = new Deno.Command(path, {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output, error, { code }] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.status,
  ]);
  show(output + error);
  return { code, output: output + error };
}

/** Rows that share a command share one run of it. */
const runs = new Map<string, { code: number; output: string; seconds: number }>();

async function runOnce(command: string): Promise<{ code: number; output: string; seconds: number }> {
  const earlier = runs.get(command);
  if (earlier !== undefined) return earlier;
  const startedMs = performance.now();
  const ended = await runCommand(command, ROOT);
  const run = { ...ended, seconds: Math.round((performance.now() - startedMs) / 1000) };
  runs.set(command, run);
  return run;
}

async function runRow(row: Evidence): Promise<boolean> {
  show(`--- ${row.id}: ${row.command}\n`);
  const { code, output, seconds } = await runOnce(row.command);
  const { faultFound } = readResult(row.id) ?? {};
  writeResult(row.id, {
    command: row.command,
    date: new Date().toISOString().slice(0, 10),
    commit: await commitId(),
    cores: navigator.hardwareConcurrency,
    seconds,
    exitCode: code,
    figures: figuresIn(output, row.figures),
    ...faultFound === undefined ? {} : { faultFound },
  });
  return code === 0;
}

async function commitId(): Promise<string> {
  const { stdout } = await new Deno.Command("git", { args: ["rev-parse", "--short", "HEAD"], cwd: ROOT })
    .output();
  return new TextDecoder().decode(stdout).trim();
}

/** Plants a row's fault in a copy of the project and runs its quick command there, without the fault first. */
async function plantFault(row: Evidence, fault: PlantedFault): Promise<boolean> {
  show(`--- ${row.id}: ${fault.name}\n`);
  const result = readResult(row.id);
  if (result === undefined) throw new Error(`Run the command first: deno task evidence --run ${row.id}`);
  await using folder = await TemporaryFolder.make("ackpool-fault-");
  await copyProject(folder.path);
  const sound = await runCommand(fault.fails, folder.path);
  if (sound.code !== 0) throw new Error(`${fault.fails} fails without the fault too`);
  const path = `${folder.path}/${pathExporting(fault.exported, await readModules(SOURCES))}`;
  await Deno.writeTextFile(path, withDefect(await Deno.readTextFile(path), fault));
  const { code } = await runCommand(fault.fails, folder.path);
  writeResult(row.id, { ...result, faultFound: code !== 0 } satisfies Result);
  return code !== 0;
}

async function copyProject(folder: string): Promise<void> {
  const { success } = await new Deno.Command("sh", {
    args: [
      "-c",
      'git ls-files -z | xargs -0 cp --parents -t "$0" && ln -s "$PWD/node_modules" "$0/"',
      folder,
    ],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`The project could not be copied to ${folder}`);
}

const { run, fault } = flagsOf(
  "evidence",
  "Writes EVIDENCE.md from the result files. --run ID,ID runs rows' commands first, --fault ID,ID plants their faults; all is every row.",
  { run: { type: "string", default: "none" }, fault: { type: "string", default: "none" } },
);

function chosen(flag: string): readonly Evidence[] {
  if (flag === "none") return [];
  const rows = EVIDENCE.filter(({ id }) => flag === "all" || flag.split(",").includes(id));
  if (rows.length === 0) throw new Error(`No row "${flag}": ${EVIDENCE.map(({ id }) => id).join(", ")}`);
  return rows;
}

let good = true;
for (const row of chosen(run)) good = await runRow(row) && good;
for (const row of chosen(fault)) {
  if (typeof row.fault !== "string") good = await plantFault(row, row.fault) && good;
}
await Deno.writeTextFile(`${ROOT}EVIDENCE.md`, evidencePage());
await runCommand("deno fmt --quiet EVIDENCE.md", ROOT);
show("EVIDENCE.md is written\n");
Deno.exit(good ? 0 : 1);
