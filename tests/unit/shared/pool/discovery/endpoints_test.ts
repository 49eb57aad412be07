import assert from "node:assert/strict";
import { startDnsServer } from "../../../../../local/embedded/dns/server.ts";
import {
  type LookUp,
  type Resolver,
  resolverFrom,
  type ServicePlace,
} from "../../../../../shared/pool/discovery/dns.ts";
import { type Endpoint, resolveEndpoints } from "../../../../../shared/pool/discovery/endpoints.ts";

const noLookUp: LookUp = (hostname) => Promise.reject(new Error(`asked for ${hostname}`));
const unheard = () => assert.fail("no look-up should have failed");

function naming(addresses: LookUp, places: readonly ServicePlace[] = []): Resolver {
  return { addresses, services: () => Promise.resolve(places) };
}

async function addresses(urls: readonly string[], names: LookUp | Resolver): Promise<readonly string[]> {
  const asked = typeof names === "function" ? naming(names) : names;
  const endpoints = await resolveEndpoints(urls.map((url) => new URL(url)), [], asked, unheard);
  return endpoints.map(({ address }) => address);
}

Deno.test("resolveEndpoints() takes addresses as they are, with port and path", async () => {
  const urls = ["http://127.0.0.2:8001/", "http://127.0.0.3/base/", "http://[::1]:9000"];
  assert.deepEqual(await addresses(urls, noLookUp), [
    "http://127.0.0.2:8001",
    "http://127.0.0.3/base",
    "http://[::1]:9000",
  ]);
});

Deno.test("resolveEndpoints() makes a replica of every address of a name, in an order that stays", async () => {
  const lookUp: LookUp = () => Promise.resolve(["10.0.0.9", "10.0.0.1", "fd00::1"]);
  assert.deepEqual(await addresses(["https://worker:8000/v1"], lookUp), [
    "https://10.0.0.1:8000/v1",
    "https://10.0.0.9:8000/v1",
    "https://[fd00::1]:8000/v1",
  ]);
});

Deno.test("resolveEndpoints() counts an address once, however many names it has", async () => {
  const lookUp: LookUp = () => Promise.resolve(["10.0.0.1"]);
  assert.deepEqual(await addresses(["http://a:1", "http://b:1", "http://a:2"], lookUp), [
    "http://10.0.0.1:1",
    "http://10.0.0.1:2",
  ]);
});

Deno.test("resolveEndpoints() keeps the name for the Host header, origin and path for the request", async () => {
  const lookUp: LookUp = () => Promise.resolve(["10.0.0.1"]);
  const [found] = await resolveEndpoints([new URL("http://worker:8000/v1/")], [], naming(lookUp), unheard);
  assert.equal(found?.url.host, "worker:8000");
  assert.equal(found?.origin, "http://10.0.0.1:8000");
  assert.equal(found?.basePath, "/v1");
});

Deno.test("resolveEndpoints() lets the last answer stand for a name whose look-up fails", async () => {
  const urls = [new URL("http://a:1"), new URL("http://b:1")];
  const both: LookUp = (hostname) => Promise.resolve(hostname === "a" ? ["10.0.0.1"] : ["10.0.0.2"]);
  const before: readonly Endpoint[] = await resolveEndpoints(urls, [], naming(both), unheard);
  const onlyB: LookUp = (hostname) =>
    hostname === "b" ? Promise.resolve(["10.0.0.3"]) : Promise.reject(new Error("SERVFAIL"));
  const failed: string[] = [];
  const after = await resolveEndpoints(urls, before, naming(onlyB), (hostname) => failed.push(hostname));
  assert.deepEqual(after.map(({ address }) => address), ["http://10.0.0.1:1", "http://10.0.0.3:1"]);
  assert.deepEqual(failed, ["a"]);
});

const SERVICE = "dns+srv://_worker._tcp.test/v1";
const byHost: LookUp = (hostname) =>
  Promise.resolve(hostname === "a.test" ? ["10.0.0.1"] : ["10.0.0.2", "10.0.0.3"]);

Deno.test("resolveEndpoints() makes a replica of every place of a service, each with its own port", async () => {
  const names = naming(byHost, [
    { target: "a.test.", port: 8001, priority: 0 },
    { target: "a.test.", port: 8002, priority: 0 },
    { target: "b.test.", port: 8003, priority: 0 },
  ]);
  assert.deepEqual(await addresses([SERVICE], names), [
    "http://10.0.0.1:8001/v1",
    "http://10.0.0.1:8002/v1",
    "http://10.0.0.2:8003/v1",
    "http://10.0.0.3:8003/v1",
  ]);
});

Deno.test("resolveEndpoints() takes only the places with the lowest priority a service has", async () => {
  const near = { target: "a.test.", port: 8001, priority: 10 };
  const far = { target: "b.test.", port: 8001, priority: 20 };
  assert.deepEqual(await addresses([SERVICE], naming(byHost, [far, near])), ["http://10.0.0.1:8001/v1"]);
  assert.deepEqual((await addresses([SERVICE], naming(byHost, [far]))).length, 2);
});

Deno.test("resolveEndpoints() finds nobody where a service says that it is not offered", async () => {
  assert.deepEqual(await addresses([SERVICE], naming(byHost, [{ target: ".", port: 0, priority: 0 }])), []);
  assert.deepEqual(await addresses([SERVICE], naming(byHost, [])), []);
});

Deno.test("resolveEndpoints() lets the last answer stand for a service whose look-up fails", async () => {
  const urls = [new URL(SERVICE)];
  const working = naming(byHost, [{ target: "a.test.", port: 8001, priority: 0 }]);
  const before = await resolveEndpoints(urls, [], working, unheard);
  const noServices: Resolver = { ...working, services: () => Promise.reject(new Error("SERVFAIL")) };
  const noAddresses: Resolver = { ...working, addresses: () => Promise.reject(new Error("SERVFAIL")) };
  const failed: string[] = [];
  for (const broken of [noServices, noAddresses]) {
    assert.deepEqual(await resolveEndpoints(urls, before, broken, (name) => failed.push(name)), before);
  }
  assert.deepEqual(failed, ["_worker._tcp.test", "a.test"]);
});

Deno.test("resolveEndpoints() asks the DNS server it is told, and believes it that a name is gone", async () => {
  await using server = await startDnsServer();
  const [address = "", port] = server.address.split(":");
  const names = resolverFrom({ address, port: Number(port) });
  const urls = [new URL("http://workers.test:8000"), new URL("dns+srv://_worker._tcp.test")];
  server.set([
    { name: "workers.test", type: "A", address: "127.0.0.3" },
    { name: "workers.test", type: "AAAA", address: "::1" },
    { name: "_worker._tcp.test", type: "SRV", target: "six.test", port: 8001 },
    { name: "six.test", type: "AAAA", address: "::1" },
  ]);
  const found = await resolveEndpoints(urls, [], names, unheard);
  assert.deepEqual(found.map(({ address }) => address), ["http://127.0.0.3:8000", "http://[::1]:8001"]);
  server.set([]);
  assert.deepEqual(await resolveEndpoints(urls, found, names, unheard), []);
});
