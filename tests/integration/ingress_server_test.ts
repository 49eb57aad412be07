// The ingress's HTTP server, over raw connections: what is no request, what is slow, and who has too many connections.

import assert from "node:assert/strict";
import { type IngressServer, serveIngress, type ServerOptions } from "../../worker/ingress/server.ts";
import { until } from "../support/until.ts";

async function serving(
  use: (server: IngressServer, asked: string[]) => Promise<void>,
  limits: Partial<ServerOptions> = {},
): Promise<void> {
  const asked: string[] = [];
  const handler = async (request: Request, peer: string | undefined) => {
    asked.push(`${request.method} ${new URL(request.url).pathname} from ${peer}`);
    await request.bytes().catch(() => {});
    return Response.json({});
  };
  const server = await serveIngress(handler, {
    port: 0,
    host: "127.0.0.1",
    connectionsPerClient: 0,
    ...limits,
  });
  await use(server, asked);
  await server.shutdown();
}

/** What comes back to some bytes, whole, once the server has ended the connection. */
async function answerTo(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

const GET = "GET /classify HTTP/1.1\r\nConnection: close\r\n";
const fields = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}: 1\r\n`).join("");

Deno.test("serveIngress() answers a 4xx with a problem to what is no request, and hands none of it on", async () => {
  await serving(async ({ port }, asked) => {
    const malformed: readonly (readonly [string, string])[] = [
      [
        "400 bad-request",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
      ],
      [
        "400 bad-request",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ],
      ["400 bad-request", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"],
      ["400 bad-request", "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
      ["400 bad-request", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"],
      ["400 bad-request", "GET http://evil/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
      ["400 bad-request", "no HTTP at all\r\n\r\n"],
      ["431 too-many-headers", `${GET}Host: a\r\n${fields(99)}\r\n`],
      ["431 too-many-headers", `${GET}Host: a\r\n${fields(150)}\r\n`],
      ["431 too-many-headers", `${GET}Host: a\r\nx: ${"y".repeat(20_000)}\r\n\r\n`],
    ];
    for (const [expected, text] of malformed) {
      const answer = await answerTo(port, text);
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
      const [, slug] = /"type":"\/problems\/([a-z-]+)"/.exec(answer) ?? [];
      assert.equal(`${status} ${slug}`, expected, JSON.stringify(text.slice(0, 60)));
    }
    for (const host of ["a b", "", "a/b", "4127.0.0.1", "127.i.0.1", "e27.0.0.1", "[::1", "a:99999"]) {
      const answer = await answerTo(port, `${GET}Host: ${host}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*\/problems\/bad-request/, host);
    }
    assert.deepEqual(asked, []);
    assert.match(await answerTo(port, `${GET}Host: a\r\n${fields(90)}\r\n`), /^HTTP\/1\.1 200/);
    assert.deepEqual(asked, ["GET /classify from 127.0.0.1"]);
  });
});

Deno.test("serveIngress() lets one address have so many connections and no more, and counts those that ended", async () => {
  await serving(async ({ port }) => {
    const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
    const ask = async (connection: Deno.TcpConn) => {
      await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
      return await connection.read(new Uint8Array(1000)).catch(() => null);
    };
    const [first, second] = [await connect(), await connect()];
    assert.ok(await ask(first));
    assert.ok(await ask(second));
    const third = await connect();
    assert.equal(await ask(third).catch(() => null), null);
    third.close();
    first.close();
    const fourth = await until("a place to be free", async () => {
      const connection = await connect();
      if (await ask(connection).catch(() => null)) return connection;
      connection.close();
      return false;
    });
    fourth.close();
    second.close();
  }, { connectionsPerClient: 2 });
});

Deno.test("serveIngress() ends a connection whose headers do not come, and answers 408 where some came", async () => {
  await serving(async ({ port }, asked) => {
    const [half, none] = await Promise.all([
      answerTo(port, "GET / HTTP/1.1\r\nHost: a\r\nX-"),
      answerTo(port, ""),
    ]);
    assert.match(half, /^HTTP\/1\.1 408 /);
    assert.match(none, /^(HTTP\/1\.1 408 |$)/);
    assert.deepEqual(asked, []);
  }, { headersMs: 200 });
});

Deno.test("serveIngress() ends the connection where an answer breaks off, and adds nothing to it or to the log", async () => {
  const broken = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("half of it"));
          setTimeout(() => controller.error(new Error("the replica's secret")), 50);
        },
      }),
    );
  const server = await serveIngress(broken, { port: 0, host: "127.0.0.1", connectionsPerClient: 0 });
  // The library writes there what it did not expect, with its stack.
  const { error } = globalThis.console;
  const written: unknown[] = [];
  Reflect.set(globalThis.console, "error", (...all: unknown[]) => written.push(...all));
  const answer = await answerTo(server.port, `${GET}Host: a\r\n\r\n`);
  await server.shutdown();
  Reflect.set(globalThis.console, "error", error);
  assert.deepEqual(written, []);
  assert.match(answer, /half of it/);
  assert.doesNotMatch(answer, /secret|Error|\r\n0\r\n\r\n$/);
});
