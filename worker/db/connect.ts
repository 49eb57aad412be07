// The connections to one Postgres host, with the encryption its connection string asks for.

import { whyUnreadable } from "../../shared/config/file_folders.ts";
import { checkServerIdentity, type ConnectionOptions } from "node:tls";
import postgres from "postgres";
import type { PostgresHost, PostgresTarget } from "../../shared/postgres/connection_string.ts";

/** What is not in the connection string. */
export interface ConnectionSettings {
  readonly connectionsMax: number;
  /** The server's own settings of a session, sent with the start-up packet; a pooler may refuse them. */
  readonly session?: Readonly<Record<string, string | number>>;
  /** A pooler may run a transaction's statements, `commit` included, where they were never prepared. */
  readonly prepare: boolean;
}

const CONNECT_TIMEOUT_S = 5;
const DEFAULT_PORT = 5432;

/**
 * Connections to this host, opened when they are needed.
 *
 * @throws {Error} with SQLSTATE F0000 (config_file_error) in `code` when a certificate's file, or the socket, cannot be read.
 */
export function connect(
  target: PostgresTarget,
  { host, port, path }: PostgresHost,
  { connectionsMax, session = {}, prepare }: ConnectionSettings,
): postgres.Sql {
  if (path !== undefined) requireSocketAccess(path);
  const { user, password, database, options } = target;
  return postgres({
    ...(host === undefined ? {} : { host: listed(host), port: listed(port ?? DEFAULT_PORT) }),
    ...(host === undefined && port !== undefined ? { port: listed(port) } : {}),
    ...(path === undefined ? {} : { path }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ssl: path === undefined ? tlsOptions(target, host) : false,
    ...(target.directTls ? { sslnegotiation: "direct" } : {}),
    max: Math.min(connectionsMax, target.connectionsMax ?? connectionsMax),
    connect_timeout: target.connectTimeoutS ?? CONNECT_TIMEOUT_S,
    // Long waits between attempts would outlast the outage.
    backoff: (retries) => Math.min(1, 0.1 * 2 ** retries),
    prepare,
    fetch_types: false,
    onnotice: () => {},
    connection: {
      application_name: target.applicationName ?? "ackpool",
      ...(options === undefined ? {} : { options }),
      ...session,
    },
  });
}

/** The driver cuts a name outside of a list at its colons, which IPv6 has; its types do not know of lists. */
function listed<T>(value: T): T {
  return [value] as unknown as T;
}

function tlsOptions(target: PostgresTarget, host = "localhost"): false | "prefer" | ConnectionOptions {
  const { tls, caFile, certFile, keyFile, keyPassphrase } = target;
  const own = {
    ...(certFile === undefined ? {} : { cert: read("sslcert", certFile) }),
    ...(keyFile === undefined ? {} : { key: read("sslkey", keyFile) }),
    ...(keyPassphrase === undefined ? {} : { passphrase: keyPassphrase }),
  };
  const ca = caFile === undefined ? {} : { ca: read("sslrootcert", caFile) };
  switch (tls) {
    case "off":
      return false;
    case "prefer":
      return "prefer";
    case "require":
      return { ...own, rejectUnauthorized: false };
    case "verify-ca":
      return { ...own, ...ca, checkServerIdentity: () => undefined };
    case "verify-full":
      // Without this an address in place of a name would go unchecked.
      return {
        ...own,
        ...ca,
        checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
      };
    default: {
      const impossible: never = tls;
      throw new Error(`Unknown TLS mode ${impossible}`);
    }
  }
}

/** Deno takes a Unix socket for a file, and the driver connects where nobody could catch its refusal. */
function requireSocketAccess(path: string): void {
  const missing = (["read", "write"] as const).filter((name) =>
    Deno.permissions.querySync({ name, path }).state !== "granted"
  );
  if (missing.length === 0) return;
  const flags = missing.map((name) => `--allow-${name}=${path}`).join(" ");
  throw unusable(`the Unix socket ${path} needs ${flags}: add it to the task, or connect by host and port`);
}

function read(parameter: string, file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    throw unusable(`${parameter}: the file ${file} cannot be read (${whyUnreadable(error)})`);
  }
}

/** An error as the database gives it for its own configuration's files. */
function unusable(message: string): Error {
  return Object.assign(new Error(message), { code: "F0000" });
}
