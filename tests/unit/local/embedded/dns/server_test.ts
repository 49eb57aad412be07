import assert from "node:assert/strict";
import { type DnsRecord, type DnsServer, startDnsServer } from "../../../../../local/embedded/dns/server.ts";

const asking = (server: DnsServer) => {
  const [ipAddr = "", port] = server.address.split(":");
  return { nameServer: { ipAddr, port: Number(port) } };
};
const ask = (server: DnsServer, name: string, type: "A" | "AAAA") =>
  Deno.resolveDns(name, type, asking(server));
const askServices = (server: DnsServer, name: string) => Deno.resolveDns(name, "SRV", asking(server));

Deno.test("NameServer answers with all addresses of a name, whatever its case", async () => {
  await using server = await startDnsServer();
  server.set([
    { name: "Workers.test", type: "A", address: "127.0.0.2" },
    { name: "workers.test", type: "A", address: "127.0.0.3" },
    { name: "workers.test", type: "AAAA", address: "::1" },
    { name: "others.test", type: "A", address: "127.0.0.9" },
  ]);
  assert.deepEqual((await ask(server, "workers.test", "A")).sort(), ["127.0.0.2", "127.0.0.3"]);
  assert.deepEqual(await ask(server, "WORKERS.test", "AAAA"), ["::1"]);
  assert.equal(server.answered, 2);
});

Deno.test("NameServer answers with services, their ports and priorities", async () => {
  await using server = await startDnsServer();
  server.set([{ name: "_w._tcp.test", type: "SRV", target: "one.test", port: 8001, priority: 5, weight: 2 }]);
  const found = await askServices(server, "_w._tcp.test");
  assert.deepEqual(found.map((service) => ({ ...service })), [
    { target: "one.test.", port: 8001, priority: 5, weight: 2 },
  ]);
});

Deno.test("NameServer.set() counts from the next question on", async () => {
  await using server = await startDnsServer();
  const at = (address: string): DnsRecord => ({ name: "workers.test", type: "A", address });
  server.set([at("127.0.0.2")]);
  assert.deepEqual(await ask(server, "workers.test", "A"), ["127.0.0.2"]);
  server.set([at("127.0.0.3")]);
  assert.deepEqual(await ask(server, "workers.test", "A"), ["127.0.0.3"]);
  server.set([]);
  await assert.rejects(ask(server, "workers.test", "A"), Deno.errors.NotFound);
});

Deno.test("NameServer gives over TCP what is too much for a datagram", async () => {
  await using server = await startDnsServer();
  const targets = Array.from({ length: 60 }, (_, at) => `replica-${at}.some.long.name.test`);
  server.set(targets.map((target, at) => ({ name: "_w._tcp.test", type: "SRV", target, port: 8000 + at })));
  const found = await askServices(server, "_w._tcp.test");
  assert.deepEqual(found.map(({ port }) => port).sort(), targets.map((_, at) => 8000 + at));
});

Deno.test("NameServer says nothing to what is no question", async () => {
  await using server = await startDnsServer();
  const [hostname, port] = server.address.split(":");
  const conn = await Deno.connect({ hostname: hostname ?? "", port: Number(port) });
  await conn.write(new Uint8Array([0, 3, 1, 2, 3]));
  assert.equal(await conn.read(new Uint8Array(10)), null);
  conn.close();
  assert.equal(server.answered, 0);
});
