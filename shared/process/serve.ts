// The HTTP server of a program: what cannot be listened on is a failed start that names the variable to change.

import { StartError } from "./start_error.ts";

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
    throw listenError(error, port, variable, hostname);
  }
}

/** Why a port cannot be listened on, in words that say what to change; any other error as it is. */
export function listenError(error: unknown, port: number, variable: string, hostname: string): unknown {
  switch (error instanceof Error ? codeOf(error) : undefined) {
    case "EADDRINUSE":
      return new StartError(
        `Port ${port} is in use. Stop what listens there, or set ${variable} to another port.`,
      );
    case "EADDRNOTAVAIL":
      return new StartError(
        `${hostname} is not an address of this machine. Set LISTEN_ADDRESS to one, or to 0.0.0.0 for all.`,
      );
    case "EACCES":
      return new StartError(`Port ${port} may not be used by this user. Set ${variable} to one above 1023.`);
    default:
      return error;
  }
}

/** The code that node:net gives, also for what Deno.serve throws. */
function codeOf(error: Error & { code?: string }): string | undefined {
  if (error instanceof Deno.errors.AddrInUse) return "EADDRINUSE";
  if (error instanceof Deno.errors.AddrNotAvailable) return "EADDRNOTAVAIL";
  return error instanceof Deno.errors.PermissionDenied ? "EACCES" : error.code;
}
