// Runs the project's own tasks as a user would, but as one process each, so that a signal hits exactly that process.

import { commandOf } from "../../../shared/deno_task.ts";
import { type Child, startChild } from "../../support/processes/process.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/**
 * Starts a `deno run …` task of deno.json with its own permission flags and nothing in its environment but `env`.
 * `more` are arguments as they stand behind the task's name on the command line; `root` is the project's folder.
 *
 * @throws {Error} when there is no such task or it is more than one `deno run`.
 */
export function startTask(
  task: string,
  name: string,
  env: Readonly<Record<string, string>>,
  more: readonly string[] = [],
  root = ROOT,
): Child {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${root}deno.json`));
  const line = commandOf(tasks[task], (path) => Deno.readTextFileSync(`${root}${path}`));
  if (typeof line !== "string" || !line.startsWith("deno run ") || /[&|;"'$]/.test(line)) {
    throw new Error(`the task ${task} in deno.json is not one plain "deno run": current value is ${line}`);
  }
  const args = [...line.split(/\s+/).slice(1), ...more];
  return startChild({ name, command: Deno.execPath(), args, env, cwd: root });
}

/** Runs a task to its end; throws with its last lines when it fails. */
export async function runTask(task: string, env: Readonly<Record<string, string>>): Promise<void> {
  await using child = startTask(task, task, env);
  if (!(await child.exit).success) throw child.failure("failed");
}
