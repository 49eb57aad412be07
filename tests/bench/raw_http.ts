// HTTP/1.1 with as little work as possible, so that a benchmark measures what it is about and not its own tools.

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const HEAD_END = "\r\n\r\n";

/** Reads messages with a Content-Length off one connection. */
class MessageReader {
  #buffered = "";
  readonly #bytes = new Uint8Array(65_536);

  constructor(readonly connection: Deno.Conn) {}

  /** Head and body of the next message; undefined at the end. */
  async next(): Promise<{ readonly head: string; readonly body: string } | undefined> {
    for (;;) {
      const headEnd = this.#buffered.indexOf(HEAD_END);
      if (headEnd >= 0) {
        const head = this.#buffered.slice(0, headEnd);
        const start = headEnd + HEAD_END.length;
        const end = start + Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
        if (this.#buffered.length >= end) {
          const body = this.#buffered.slice(start, end);
          this.#buffered = this.#buffered.slice(end);
          return { head, body };
        }
      }
      const read = await this.connection.read(this.#bytes);
      if (read === null) return undefined;
      this.#buffered += decoder.decode(this.#bytes.subarray(0, read));
    }
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Answers every request with a JSON body; the result is the port. */
export function serveRaw(answer: (body: string) => Uint8Array): number {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const serve = async (connection: Deno.TcpConn) => {
    connection.setNoDelay(true);
    const reader = new MessageReader(connection);
    for (let request = await reader.next(); request !== undefined; request = await reader.next()) {
      const body = answer(request.body);
      const head =
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}${HEAD_END}`;
      await writeAll(connection, new Uint8Array([...encoder.encode(head), ...body]));
    }
  };
  void (async () => {
    for await (const connection of listener) serve(connection).catch(() => connection.close());
  })();
  return listener.addr.port;
}

/** Sends `count` POSTs of JSON over so many connections. Answers how often each status came. */
export async function postAll(
  port: number,
  path: string,
  connections: number,
  count: number,
  request: (at: number) => { readonly body: string; readonly headers: string },
): Promise<ReadonlyMap<string, number>> {
  const statuses = new Map<string, number>();
  let next = 0;
  const post = async () => {
    using connection = await Deno.connect({ port, hostname: "127.0.0.1" });
    connection.setNoDelay(true);
    const reader = new MessageReader(connection);
    while (next < count) {
      const { body, headers } = request(next++);
      const head = `POST ${path} HTTP/1.1\r\nhost: worker\r\ncontent-type: application/json\r\n${headers}`;
      const length = encoder.encode(body).length;
      await writeAll(connection, encoder.encode(`${head}content-length: ${length}${HEAD_END}${body}`));
      const status = (await reader.next())?.head.slice(9, 12) ?? "lost";
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: connections }, post));
  return statuses;
}
