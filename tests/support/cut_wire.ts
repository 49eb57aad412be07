// A wire between a client and a service that a test can cut, freeze and mend: what an outage looks like from outside.

/** A TCP forwarder on a port of its own. */
export class CutWire implements AsyncDisposable {
  readonly #target: Deno.ConnectOptions;
  readonly #open = new Set<Deno.Conn>();
  #listener: Deno.TcpListener | undefined;
  /** Pending while nothing may pass. */
  #thawed: Promise<void> = Promise.resolve();
  #thaw: () => void = () => {};
  /** Wait of each piece, in ms, and its largest size. */
  #delayMs = 0;
  #pieceMax = Infinity;
  #losesAnswers = false;
  readonly port: number;

  constructor(target: Deno.ConnectOptions) {
    this.#target = target;
    this.port = this.#listen(0);
  }

  /** Refuses new connections and resets the open ones. May be called twice. */
  cut(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.#thaw();
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  /** Lets nothing pass in either direction, without closing anything: the other end hangs. */
  freeze(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#thawed = promise;
    this.#thaw = resolve;
  }

  /** Makes each piece wait so long, in ms. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Lets bytes through in small pieces, each in a packet of its own. */
  slice(bytes: number): void {
    this.#pieceMax = bytes;
    this.#delayMs = 1;
  }

  /** Takes requests to the service, and resets the connection when an answer comes. */
  loseAnswers(): void {
    this.#losesAnswers = true;
  }

  /** Undoes all of these. */
  mend(): void {
    this.#delayMs = 0;
    this.#pieceMax = Infinity;
    this.#losesAnswers = false;
    this.#thaw();
    if (this.#listener === undefined) this.#listen(this.port);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    return Promise.resolve();
  }

  #listen(port: number): number {
    const listener = Deno.listen({ port, hostname: "127.0.0.1" });
    this.#listener = listener;
    void this.#accept(listener);
    return listener.addr.port;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const client of listener) void this.#forward(client);
  }

  async #forward(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect(this.#target).catch(() => undefined);
    if (server === undefined) return close(client);
    this.#open.add(client).add(server);
    await Promise.allSettled([this.#pump(client, server, false), this.#pump(server, client, true)]);
    for (const connection of [client, server]) {
      this.#open.delete(connection);
      close(connection);
    }
  }

  async #pump(from: Deno.Conn, to: Deno.Conn, isAnswer: boolean): Promise<void> {
    const bytes = new Uint8Array(65_536);
    try {
      for (let read = await from.read(bytes); read !== null; read = await from.read(bytes)) {
        await this.#thawed;
        if (isAnswer && this.#losesAnswers) return;
        for (let at = 0; at < read;) {
          if (this.#delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#delayMs));
          at += await to.write(bytes.subarray(at, Math.min(read, at + this.#pieceMax)));
        }
      }
    } finally {
      close(from);
      close(to);
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
