// A worker that writes its answers byte by byte as the test says: what no HTTP library would send.

/** One request of a connection. */
export interface RawExchange {
  /** The first one of its connection is 1. */
  readonly number: number;
  readonly head: string;
  /** Writes to the caller; false when it has gone. */
  write(text: string | Uint8Array): Promise<boolean>;
  /** Ends the connection after what was written; unread bytes make it a reset. */
  close(): void;
  /** Resolves when the caller closes the connection. */
  readonly gone: Promise<void>;
}

/** A running one. `await using` stops it. */
export class RawWorker implements AsyncDisposable {
  /** All requests so far. */
  requests = 0;
  connections = 0;
  readonly #listener: Deno.TcpListener;
  readonly #open: Set<Deno.TcpConn> = new Set();
  readonly #ended: Promise<void>;

  constructor(script: (exchange: RawExchange) => unknown, hostname = "127.0.0.1") {
    this.#listener = Deno.listen({ hostname, port: 0 });
    this.#ended = this.#accept(script);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get url(): string {
    return `http://${this.#listener.addr.hostname}:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#ended;
  }

  async #accept(script: (exchange: RawExchange) => unknown): Promise<void> {
    const serving: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) serving.push(this.#serve(connection, script));
    } catch {
      // The listener was closed.
    }
    await Promise.all(serving);
  }

  async #serve(connection: Deno.TcpConn, script: (exchange: RawExchange) => unknown): Promise<void> {
    this.#open.add(connection);
    this.connections += 1;
    const gone = Promise.withResolvers<void>();
    const write = async (text: string | Uint8Array) => {
      const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
      try {
        for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
        return true;
      } catch {
        gone.resolve();
        return false;
      }
    };
    let unread = "";
    const buffer = new Uint8Array(65_536);
    const answering: Promise<unknown>[] = [];
    for (let number = 1;;) {
      const count = await connection.read(buffer).catch(() => null);
      if (count === null) break;
      unread += new TextDecoder().decode(buffer.subarray(0, count));
      const [head = "", body = ""] = unread.split("\r\n\r\n");
      if (!unread.includes("\r\n\r\n")) continue;
      if (body.length < Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)) continue;
      unread = "";
      this.requests += 1;
      const exchange = { number, head, write, close: () => close(connection), gone: gone.promise };
      answering.push((async () => await script(exchange))());
      number += 1;
    }
    gone.resolve();
    close(connection);
    this.#open.delete(connection);
    await Promise.all(answering);
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It was closed before.
  }
}
