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
  const shown = Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, { about: "", ...option }]),
  );
  return flagsOrExit({ task, usage: about, options: shown }, { args: Deno.args, options, allowPositionals })
    .values;
}
