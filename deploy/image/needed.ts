// Which packages some programs need, so that an image holds no other. Pure: files are read through a function.

import { commandOf, type Task } from "../../shared/deno_task.ts";

const STATEMENT = /^\s*(?:import|export)\s(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"/g;

/** The part of deno.json that this is about. */
export interface DenoJson {
  readonly imports: Readonly<Record<string, string>>;
  readonly tasks: Readonly<Record<string, Task>>;
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
}

/** What an image's deno.json says. */
export interface ImageDenoJson extends DenoJson {
  /** Packages stay in DENO_DIR, which is written when the image is built and never afterwards. */
  readonly nodeModulesDir: "none";
}

/** Reads a file by its path from the project's root. */
export type ReadFile = (path: string) => string;

/**
 * The file that a task runs.
 *
 * @throws {Error} when there is no such task, or it is not `deno run|serve [flags] file.ts [words]`.
 */
export function programOf(task: string, tasks: DenoJson["tasks"]): string {
  const command = commandOf(tasks[task]);
  const file = fileOf(command);
  if (file === undefined) {
    throw new Error(`Task ${task} is not "deno run|serve [flags] file.ts": current value is ${command}`);
  }
  return file;
}

/** Words behind the file are its arguments. */
function fileOf(command: string | undefined): string | undefined {
  return /^deno (?:run|serve) .*?(\S+\.ts)(?: [\w-]+)*$/.exec(command ?? "")?.[1];
}

/** What deno.json says in an image that runs these programs: their tasks, and the packages they import. */
export function imageDenoJson(
  denoJson: DenoJson,
  programs: readonly string[],
  read: ReadFile,
): ImageDenoJson {
  const packages = packagesOf(programs, read);
  const isNeeded = (name: string) =>
    [...packages].some((each) => each === name || each.startsWith(`${name}/`));
  const runs = (command: string | undefined) => programs.includes(fileOf(command) ?? "");
  return {
    nodeModulesDir: "none",
    // How JSX is compiled.
    ...(denoJson.compilerOptions === undefined ? {} : { compilerOptions: denoJson.compilerOptions }),
    imports: pick(denoJson.imports, isNeeded),
    tasks: pick(denoJson.tasks, (name) => runs(commandOf(denoJson.tasks[name]))),
  };
}

/** Every bare specifier that the programs and the modules they import mention. */
export function packagesOf(programs: readonly string[], read: ReadFile): ReadonlySet<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const waiting = [...programs];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path) || !/\.tsx?$/.test(path)) continue;
    seen.add(path);
    for (const specifier of specifiersOf(read(path))) {
      if (specifier.startsWith(".")) waiting.push(new URL(specifier, `file:///${path}`).pathname.slice(1));
      else if (!specifier.startsWith("node:")) packages.add(specifier);
    }
  }
  return packages;
}

function specifiersOf(text: string): string[] {
  return [...text.matchAll(STATEMENT), ...text.matchAll(DYNAMIC)].map(([, specifier]) => specifier ?? "");
}

function pick<T>(record: Readonly<Record<string, T>>, keep: (name: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => keep(name)));
}
