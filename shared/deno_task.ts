// A task of deno.json: its command, with or without a description beside it.

/** Deno reads both forms. */
export type Task = string | { readonly description?: string; readonly command: string };

/** What the task runs; nothing for a task that is not there. */
export function commandOf(task: Task | undefined): string | undefined {
  return typeof task === "object" ? task.command : task;
}
