// PGlite behind the Postgres protocol on a TCP port, for any number of clients.

import type { PGlite } from "@electric-sql/pglite";
import { closeConnection } from "../close_connection.ts";
import { joined } from "./frames.ts";
import { type Execute, type OutsiderLimits, Session } from "./session.ts";
import { SessionLock } from "./session_lock.ts";

/** A server that runs. */
export interface PostgresServer {
  readonly port: number;
  /** Resolves with the reason once PGlite can answer nobody any more. */
  readonly broken: Promise<unknown>;
  /** Hangs up on everybody. May be called twice. */
  readonly close: () => void;
}

/**
 * Listens on 127.0.0.1; port 0 takes a free one.
 *
 * @throws {Deno.errors.AddrInUse}
 */
export function servePostgres(database: PGlite, port: number, limits?: OutsiderLimits): PostgresServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const { promise: broken, resolve: breakDown } = Promise.withResolvers<unknown>();
  const lock = new SessionLock();
  const conns = new Set<Deno.Conn>();

  const accept = async () => {
    for await (const conn of listener) {
      conns.add(conn);
      conn.setNoDelay();
      new Session(executeOn(database), lock, limits).serve(conn).catch(breakDown).finally(() =>
        conns.delete(conn)
      );
    }
  };
  accept().catch(breakDown);
  let closed = false;
  return {
    port: listener.addr.port,
    broken,
    close: () => {
      if (closed) return;
      closed = true;
      listener.close();
      for (const conn of conns) closeConnection(conn);
    },
  };
}

function executeOn(database: PGlite): Execute {
  return async (messages) => {
    const parts: Uint8Array[] = [];
    await database.runExclusive(() =>
      database.execProtocolRawStream(messages, { onRawData: (part) => void parts.push(part.slice()) })
    );
    return joined(parts);
  };
}
