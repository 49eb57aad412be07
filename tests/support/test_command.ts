// What `deno task test` and `deno task test:real` share: how they print, and how Ctrl-C or SIGTERM ends them.

import { EXIT } from "../../shared/process/main.ts";

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
