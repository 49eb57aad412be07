// What the commands of the tests share: how they print, their flags, and how Ctrl-C or SIGTERM ends them.

import type { Flags } from "../../shared/process/command_line.ts";
import { EXIT, flagsOrExit } from "../../shared/process/main.ts";

/** Exit code of a run that a signal ended. */
export const INTERRUPTED = EXIT.interrupted;

const encoder = new TextEncoder();

/** Prints to standard output. */
export function show(text: string): void {
  Deno.stdout.writeSync(encoder.encode(text));
}

/** Aborts on Ctrl-C or SIGTERM, so that the command ends what it has started before it ends itself. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => controller.abort());
  }
  return controller.signal;
}

/** The flags of a task, each with its default; `--help` shows them, and any other ends the process. */
export function flagsOf<T extends Flags>(
  task: string,
  about: string,
  options: T,
  allowPositionals = false,
) {
  const lines = Object.entries(options).map(([name, option]) =>
    `  --${name}${option.type === "boolean" ? "" : ` ${option.default ?? "N"}`}\n`
  );
  const usage = `${about}\n\ndeno task ${task} [flags], with their defaults\n${lines.join("")}`;
  return flagsOrExit({ task, usage }, { args: Deno.args, options, allowPositionals }).values;
}
