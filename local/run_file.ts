// Writes and removes what a running `start` leaves for commands beside it to find.

import { type Run, runFileOf } from "../shared/run_file.ts";

export { readRun, type Run } from "../shared/run_file.ts";

export async function writeRun(home: string, run: Run): Promise<void> {
  await Deno.mkdir(home, { recursive: true });
  // Renamed into place, so that nobody reads half of it.
  const unfinished = `${runFileOf(home)}.${run.pid}`;
  await Deno.writeTextFile(unfinished, `${JSON.stringify(run, null, 2)}\n`);
  await Deno.rename(unfinished, runFileOf(home));
}

export async function removeRun(home: string): Promise<void> {
  await Deno.remove(runFileOf(home)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
