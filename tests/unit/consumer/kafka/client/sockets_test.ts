import assert from "node:assert/strict";
import net from "node:net";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { socketFactory, toKafkajsAddress } from "../../../../../consumer/kafka/client/sockets.ts";
import { FIRST, SECOND } from "../../../../support/kafka/certificates.ts";

/** Listens on a free port and ends every connection at once. */
async function listen(server: net.Server, host: string) {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

/** Resolves to "connected", or to what went wrong. */
function connect(factory: ReturnType<typeof socketFactory>, host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const onConnect = () => (resolve("connected"), socket.destroy());
    const socket = factory({ host, port, ssl: {}, onConnect });
    socket.on("error", (error: Error & { code?: string }) => resolve(error.code ?? error.message));
  });
}

Deno.test("toKafkajsAddress() leaves names and IPv4 addresses alone and keeps ports of IPv6 ones apart", () => {
  assert.equal(toKafkajsAddress("kafka:9092"), "kafka:9092");
  const [host, port, ...more] = toKafkajsAddress("[2001:db8::1]:9092").split(":");
  assert.deepEqual([port, more], ["9092", []]);
  assert.match(host ?? "", /^[a-z0-9.-]+$/);
});

Deno.test("socketFactory() reaches an IPv6 address behind the name kafkajs has for it", async () => {
  await using server = await listen(net.createServer((socket) => socket.end()), "::1");
  const [host = ""] = toKafkajsAddress(`[::1]:${server.port}`).split(":");
  assert.equal(await connect(socketFactory(undefined), host, server.port), "connected");
});

Deno.test("socketFactory() asks for certificates before each connection", async () => {
  await using server = await listen(tls.createServer({ ...FIRST }, (socket) => socket.end()), "127.0.0.1");
  let ca = SECOND.cert;
  const factory = socketFactory(() => ({ ca }));
  assert.match(await connect(factory, "127.0.0.1", server.port), /SELF_SIGNED|UNABLE_TO_VERIFY/);
  ca = FIRST.cert;
  assert.equal(await connect(factory, "127.0.0.1", server.port), "connected");
});
