// The HTTP server of a program: what cannot be listened on is a failed start that names the variable to change.

import { StartError } from "./start_error.ts";

/** Whether nobody but this machine can reach an address. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || /^127\./.test(address);
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
