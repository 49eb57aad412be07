// Arguments of `deno` that run a task with its own permissions as a child that ends with its parent.

import denoJson from "../../deno.json" with { type: "json" };
import { commandOf, type Task } from "../../shared/deno_task.ts";
import { projectPath } from "../project.ts";

const PARENT_WATCH = projectPath("local/processes/parent_watch.ts");

/**
 * The arguments of `deno` that run a task which ends with its parent (see parent_watch.ts).
 *
 * @throws {Error} when the task is not a plain `deno run` of one file.
 */
export function watchedTask(
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
  return watchedArgs(file, rest.slice(0, -1));
}

/** The arguments of `deno` that run a file of the project which ends with its parent. */
export function watchedArgs(file: string, flags: readonly string[], args: readonly string[] = []): string[] {
  return ["run", ...flags, "--preload", PARENT_WATCH, projectPath(file), ...args];
}
