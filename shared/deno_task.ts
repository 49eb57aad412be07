// A task of deno.json: its command, with or without a description beside it.

/** Deno reads both forms. */
export type Task = string | { readonly description?: string; readonly command: string };

/**
 * What the task runs, with each `$(cat FILE)` replaced by the words in that file, as `deno task` does it; nothing for a
 * task that is not there.
 *
 * @param read Reads a file by its path from the project's root.
 */
export function commandOf(
  task: Task | undefined,
  read: (path: string) => string = readProjectFile,
): string | undefined {
  const command = typeof task === "object" ? task.command : task;
  return command?.replace(
    /\$\(cat ([^)]+)\)/g,
    (_, path: string) => read(path).trim().split(/\s+/).join(" "),
  );
}

function readProjectFile(path: string): string {
  return Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
}
