// BrokerProxy stands between clients and a broker, and cuts a connection right behind an answer that a test names.

import net from "node:net";

/** Kafka's number of the request to join a group. */
export const JOIN_GROUP = 11;

const SIZE_BYTES = 4;

/** Forwards bytes both ways. `await using` closes it and all its connections. */
export class BrokerProxy implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #cutBehind: number | undefined;
  /** Connections cut so far. */
  cuts = 0;

  private constructor(brokerPort: number) {
    this.#server = net.createServer((client) => this.#connect(client, brokerPort));
  }

  /** Listens on a port of loopback. */
  static async listen(port: number, brokerPort: number): Promise<BrokerProxy> {
    const proxy = new BrokerProxy(brokerPort);
    const { promise, resolve } = Promise.withResolvers<void>();
    proxy.#server.listen(port, "127.0.0.1", resolve);
    await promise;
    return proxy;
  }

  /** The next answer to a request of this kind gets through, and nothing after it on its connection. */
  cutBehindNext(apiKey: number): void {
    this.#cutBehind = apiKey;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #connect(client: net.Socket, brokerPort: number): void {
    const broker = net.connect(brokerPort, "127.0.0.1");
    const close = () => {
      client.destroy();
      broker.destroy();
      this.#sockets.delete(client);
      this.#sockets.delete(broker);
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on("close", close).on("error", close);
    }
    /** Kinds of the requests that are not answered yet, by their numbers. */
    const asked = new Map<number, number>();
    const requests = frames((frame) =>
      asked.set(frame.readInt32BE(SIZE_BYTES + 4), frame.readInt16BE(SIZE_BYTES))
    );
    client.on("data", (bytes: Buffer) => {
      requests(bytes);
      broker.write(bytes);
    });
    const answers = frames((frame) => {
      const number = frame.readInt32BE(SIZE_BYTES);
      const isLast = this.#cutBehind !== undefined && asked.get(number) === this.#cutBehind;
      asked.delete(number);
      if (!isLast) return void client.write(frame);
      this.#cutBehind = undefined;
      this.cuts += 1;
      client.end(frame);
      broker.destroy();
    });
    broker.on("data", (bytes: Buffer) => answers(bytes));
  }
}

/** Gathers bytes into frames, each with its size in front. */
function frames(whole: (frame: Buffer) => void): (bytes: Buffer) => void {
  let left = Buffer.alloc(0);
  return (bytes) => {
    left = Buffer.concat([left, bytes]);
    while (left.length >= SIZE_BYTES && left.length >= SIZE_BYTES + left.readInt32BE(0)) {
      const size = SIZE_BYTES + left.readInt32BE(0);
      whole(left.subarray(0, size));
      left = left.subarray(size);
    }
  };
}
