// A TCP proxy between one consumer and one worker replica that notes every keyed POST, alone or in a
// batch, and its status in a journal.
// Bytes, refusals and lost connections pass through as they are.

import { HttpWatch } from "./http_watch.ts";
import type { Journal } from "./journal.ts";

/** Where a proxy listens; port 0 is a free one. */
export interface ProxyAddress {
  readonly hostname: string;
  readonly port: number;
}

/** A proxy on a port of its own, or at an address of its own. */
export class CountingProxy implements Disposable {
  readonly #connections = new Set<Deno.Conn>();
  readonly #hostname: string;
  #listener: Deno.Listener | undefined;
  #port: number;

  constructor(
    readonly upstreamPort: number,
    private readonly sender: string,
    private readonly replica: number,
    private readonly journal: Journal,
    { hostname, port }: ProxyAddress = { hostname: "127.0.0.1", port: 0 },
  ) {
    this.#hostname = hostname;
    this.#port = port;
    this.open();
  }

  /** What `WORKER_URL` names. */
  get url(): string {
    return `http://${this.#hostname}:${this.#port}`;
  }

  /** Connections of the consumer that are still open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Accepts connections, on the same port as before. */
  open(): void {
    if (this.#listener !== undefined) return;
    this.#listener = Deno.listen({ hostname: this.#hostname, port: this.#port });
    this.#port = (this.#listener.addr as Deno.NetAddr).port;
    this.#acceptAll(this.#listener);
  }

  /** Refuses connections, as the port of a dead replica does. */
  close(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
    this.#connections.forEach(closeQuietly);
  }

  async #acceptAll(listener: Deno.Listener): Promise<void> {
    try {
      for await (const connection of listener) this.#forward(connection);
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #forward(client: Deno.Conn): Promise<void> {
    this.#connections.add(client);
    const worker = await Deno.connect({ hostname: "127.0.0.1", port: this.upstreamPort }).catch(() =>
      undefined
    );
    // Nothing listens there any more: the next connection is refused, as without the proxy.
    if (worker === undefined) this.close();
    else {
      const watch = new HttpWatch((key) => this.journal.sent(key, this.sender, this.replica));
      await Promise.race([
        pump(client, worker, (bytes) => watch.request(bytes)),
        pump(worker, client, (bytes) => watch.response(bytes)),
      ]);
      watch.end();
      closeQuietly(worker);
    }
    closeQuietly(client);
    this.#connections.delete(client);
  }
}

/** Copies until either side ends; resolves then. A lost connection is an end like any other here. */
async function pump(from: Deno.Conn, to: Deno.Conn, watch: (bytes: Uint8Array) => void): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
      const bytes = buffer.subarray(0, read);
      watch(bytes);
      for (let written = 0; written < read;) written += await to.write(bytes.subarray(written));
    }
  } catch {
    return;
  }
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
