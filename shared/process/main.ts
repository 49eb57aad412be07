// The start and end of every program: plain lines on standard error and an exit code. Only main files import it.

import { ConfigError } from "../config/read.ts";
import { StartError } from "./start_error.ts";

/** Exit codes: sysexits.h has no better ones that people know. */
export const EXIT = { ok: 0, failed: 1, config: 2, interrupted: 130 } as const;

/** Runs a main function; a failed start is told in plain lines on standard error, and decides the exit code. */
export async function runMain(main: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (error instanceof ConfigError) exitWith(EXIT.config, error.problems);
    if (error instanceof StartError) exitWith(EXIT.failed, [error.message]);
    throw error;
  }
}

function exitWith(code: number, lines: readonly string[]): never {
  const bytes = new TextEncoder().encode(lines.map((line) => `ackpool: ${line}\n`).join(""));
  Deno.stderr.writeSync(bytes);
  Deno.exit(code);
}
