// How every process of ours starts and ends: bad configuration, ports in use, signals. Only main files import it.

import { ConfigError } from "../config/read.ts";

/** Exit codes: sysexits.h has no better ones that people know. */
export const EXIT = { ok: 0, failed: 1, config: 2, interrupted: 130 } as const;

/** A start that failed, with the one line that says what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
}

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

/** Ctrl-C closer together is one, in ms: a terminal's Ctrl-C reaches us by itself and once more through `deno task`. */
export const SAME_SIGNAL_WITHIN_MS = 500;

/**
 * Calls back on the first SIGTERM or SIGINT; a second one ends the process at once.
 *
 * @returns takes the handlers off again.
 */
export function onStopSignal(stop: (signal: Deno.Signal) => void): () => void {
  let askedMs: number | undefined;
  const handlers = (["SIGTERM", "SIGINT"] as const).map((signal) => {
    const handler = () => {
      if (askedMs === undefined) {
        askedMs = performance.now();
        return stop(signal);
      }
      const same = signal === "SIGINT" && performance.now() - askedMs < SAME_SIGNAL_WITHIN_MS;
      if (!same) Deno.exit(EXIT.interrupted);
    };
    Deno.addSignalListener(signal, handler);
    return () => Deno.removeSignalListener(signal, handler);
  });
  return () => handlers.forEach((off) => off());
}

/**
 * Serves on a port of an address, `LISTEN_ADDRESS`.
 *
 * @throws {StartError} when the port is taken or forbidden; `variable` is what to change.
 */
export function serve(
  port: number,
  variable: string,
  handler: (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Response | Promise<Response>,
  hostname = "0.0.0.0",
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ port, hostname, onListen: () => {} }, handler);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new StartError(
        `Port ${port} is in use. Stop what listens there, or set ${variable} to another port.`,
      );
    }
    if (error instanceof Deno.errors.AddrNotAvailable) {
      throw new StartError(
        `${hostname} is not an address of this machine. Set LISTEN_ADDRESS to one, or to 0.0.0.0 for all.`,
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new StartError(`Port ${port} may not be used by this user. Set ${variable} to one above 1023.`);
    }
    throw error;
  }
}

function exitWith(code: number, lines: readonly string[]): never {
  const bytes = new TextEncoder().encode(lines.map((line) => `ackpool: ${line}\n`).join(""));
  Deno.stderr.writeSync(bytes);
  Deno.exit(code);
}
