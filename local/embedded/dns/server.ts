// A small DNS server on this machine, over UDP and TCP.

import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { closeConnection } from "../close_connection.ts";
import { answerQuery, type DnsRecord } from "./answer.ts";

export type { DnsRecord } from "./answer.ts";

/** A server that runs. `await using` closes it. */
export interface DnsServer extends AsyncDisposable {
  /** `host:port`, for `WORKER_DNS_SERVER`. */
  readonly address: string;
  /** How many questions were answered. */
  readonly answered: number;
  /** Replaces all records; a name without a record does not exist. */
  set(records: readonly DnsRecord[]): void;
  /** May be called twice. */
  close(): Promise<void>;
}

/** A port that is free for UDP may be taken for TCP. */
const PORT_ATTEMPTS = 20;

/**
 * Listens on this machine alone unless another address is given; port 0 takes a free one.
 *
 * @throws {Error} when the port is taken.
 */
export async function startDnsServer(port = 0, hostname = "127.0.0.1"): Promise<DnsServer> {
  for (let attempt = 1;; attempt++) {
    const socket = createSocket("udp4");
    socket.bind(port, hostname);
    await once(socket, "listening");
    try {
      return new Server(socket, Deno.listen({ hostname, port: socket.address().port }));
    } catch (error) {
      socket.close();
      if (port !== 0 || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** A small DNS server on this machine, over UDP and TCP. */
class Server implements DnsServer {
  readonly address: string;
  readonly #socket: Socket;
  readonly #listener: Deno.TcpListener;
  readonly #conns = new Set<Deno.Conn>();
  #records: readonly DnsRecord[] = [];
  #answered = 0;
  #closed = false;

  constructor(socket: Socket, listener: Deno.TcpListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.address = `${listener.addr.hostname}:${listener.addr.port}`;
    socket.on("message", (message, { port, address }) => {
      const answer = this.#answer(message, true);
      if (answer !== undefined) socket.send(answer, port, address);
    });
    // The client is gone already.
    socket.on("error", () => {});
    this.#accept();
  }

  get answered(): number {
    return this.#answered;
  }

  set(records: readonly DnsRecord[]): void {
    this.#records = records.map((record) => ({ ...record, name: record.name.toLowerCase() }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const conn of this.#conns) closeConnection(conn);
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#conns.add(conn);
      this.#serve(conn).catch(() => {}).finally(() => {
        this.#conns.delete(conn);
        closeConnection(conn);
      });
    }
  }

  /** A connection's questions one after another, each behind its length: RFC 1035 section 4.2.2. */
  async #serve(conn: Deno.Conn): Promise<void> {
    let buffered: Buffer = Buffer.alloc(0);
    const chunk = new Uint8Array(4096);
    for (let read; (read = await conn.read(chunk)) !== null;) {
      buffered = Buffer.concat([buffered, chunk.subarray(0, read)]);
      while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
        const end = 2 + buffered.readUInt16BE(0);
        const answer = this.#answer(buffered.subarray(2, end), false);
        if (answer === undefined) return;
        await writeAll(conn, framed(answer));
        buffered = buffered.subarray(end);
      }
    }
  }

  #answer(message: Uint8Array, datagram: boolean): Uint8Array | undefined {
    const answer = answerQuery(message, this.#records, datagram);
    if (answer !== undefined) this.#answered += 1;
    return answer;
  }
}

function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + message.length);
  new DataView(frame.buffer).setUint16(0, message.length);
  frame.set(message, 2);
  return frame;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await conn.write(bytes.subarray(written));
}
