// Runs what a task of deno.json runs, with the same narrow flags, as a child of ours.

import denoJson from "../../deno.json" with { type: "json" };
import { commandOf, type Task } from "../../shared/deno_task.ts";
import { projectPath } from "../project.ts";

const LEASH = projectPath("local/processes/parent_watch.ts");

/**
 * The arguments of `deno` that run a task on a leash (see leash.ts).
 *
 * @throws {Error} when the task is not a plain `deno run` of one file.
 */
export function leashedTask(
  name: string,
  tasks: Readonly<Record<string, Task>> = denoJson.tasks,
): string[] {
  const command = commandOf(tasks[name]);
  const [deno, run, ...rest] = command?.trim().split(/\s+/) ?? [];
  const file = rest.at(-1);
  if (deno !== "deno" || run !== "run" || file === undefined || !file.endsWith(".ts")) {
    throw new Error(
      `Task ${name} is not "deno run [flags] file.ts": current value is ${JSON.stringify(command)}`,
    );
  }
  return leashed(file, rest.slice(0, -1));
}

/** The arguments of `deno` that run a file of the project on a leash. */
export function leashed(file: string, flags: readonly string[], args: readonly string[] = []): string[] {
  return ["run", ...flags, "--preload", LEASH, projectPath(file), ...args];
}
