// RawClient: writes bytes over connections of their own, and says what came back.

import type { RawRequest } from "./raw_requests.ts";

/** What came back. */
export interface RawAnswer {
  /** `closed` where the connection ended without an answer, `silent` where nothing came, `refused` where nobody listens. */
  readonly status: number | "closed" | "silent" | "refused";
  /** The beginning of the answer. */
  readonly text: string;
}

/** After so long without a byte of an answer the client gives up, in ms: the server may wait for the rest. */
const SILENCE_MS = 400;
const decoder = new TextDecoder("latin1");

/** Sends one request and reads the beginning of its answer. */
export async function sendRaw(port: number, request: RawRequest): Promise<RawAnswer> {
  let connection: Deno.TcpConn;
  try {
    connection = await Deno.connect({ hostname: "127.0.0.1", port });
  } catch (error) {
    return { status: "refused", text: String(error) };
  }
  const timer = setTimeout(() => close(connection), SILENCE_MS);
  let late = false;
  const text = await exchange(connection, request).catch((error) => {
    late = error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource;
    return "";
  });
  clearTimeout(timer);
  close(connection);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]);
  if (status > 0) return { status, text };
  return { status: late ? "silent" : "closed", text };
}

async function exchange(connection: Deno.TcpConn, request: RawRequest): Promise<string> {
  try {
    for (const piece of request) {
      for (let at = 0; at < piece.length;) at += await connection.write(piece.subarray(at));
    }
  } catch {
    // The server has said no before it had everything; its answer may be there.
  }
  const bytes = new Uint8Array(4096);
  const read = await connection.read(bytes);
  return decoder.decode(bytes.subarray(0, read ?? 0));
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
