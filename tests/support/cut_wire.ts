// A wire between a client and a service that a test can cut and mend: what an outage looks like from outside.

/** A TCP forwarder on a port of its own. */
export class CutWire implements AsyncDisposable {
  readonly #target: Deno.ConnectOptions;
  readonly #open = new Set<Deno.Conn>();
  #listener: Deno.TcpListener;
  readonly port: number;

  constructor(target: Deno.ConnectOptions) {
    this.#target = target;
    this.#listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    this.port = this.#listener.addr.port;
    void this.#accept(this.#listener);
  }

  /** Refuses new connections and resets the open ones. */
  cut(): void {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  /** Listens again on the same port. */
  mend(): void {
    this.#listener = Deno.listen({ port: this.port, hostname: "127.0.0.1" });
    void this.#accept(this.#listener);
  }

  [Symbol.asyncDispose](): Promise<void> {
    try {
      this.cut();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    return Promise.resolve();
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const client of listener) void this.#forward(client);
  }

  async #forward(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect(this.#target);
    this.#open.add(client).add(server);
    const both = [client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)];
    await Promise.allSettled(both);
    this.#open.delete(client);
    this.#open.delete(server);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
