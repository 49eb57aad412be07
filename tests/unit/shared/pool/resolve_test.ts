import assert from "node:assert/strict";
import { type Endpoint, type LookUp, resolveEndpoints } from "../../../../shared/pool/resolve.ts";

const noLookUp: LookUp = (hostname) => Promise.reject(new Error(`asked for ${hostname}`));
const unheard = () => assert.fail("no look-up should have failed");

async function addresses(urls: readonly string[], lookUp: LookUp): Promise<readonly string[]> {
  const endpoints = await resolveEndpoints(urls.map((url) => new URL(url)), [], lookUp, unheard);
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
  const [found] = await resolveEndpoints([new URL("http://worker:8000/v1/")], [], lookUp, unheard);
  assert.equal(found?.url.host, "worker:8000");
  assert.equal(found?.origin, "http://10.0.0.1:8000");
  assert.equal(found?.basePath, "/v1");
});

Deno.test("resolveEndpoints() lets the last answer stand for a name whose look-up fails", async () => {
  const urls = [new URL("http://a:1"), new URL("http://b:1")];
  const both: LookUp = (hostname) => Promise.resolve(hostname === "a" ? ["10.0.0.1"] : ["10.0.0.2"]);
  const before: readonly Endpoint[] = await resolveEndpoints(urls, [], both, unheard);
  const onlyB: LookUp = (hostname) =>
    hostname === "b" ? Promise.resolve(["10.0.0.3"]) : Promise.reject(new Error("SERVFAIL"));
  const failed: string[] = [];
  const after = await resolveEndpoints(urls, before, onlyB, (hostname) => failed.push(hostname));
  assert.deepEqual(after.map(({ address }) => address), ["http://10.0.0.1:1", "http://10.0.0.3:1"]);
  assert.deepEqual(failed, ["a"]);
});
