// The resolver of names, against a DNS server of the test's own.

import assert from "node:assert/strict";
import { startDnsServer } from "../../../../../local/embedded/dns/server.ts";
import { resolverFrom } from "../../../../../shared/pool/discovery/dns.ts";

Deno.test("Resolver.ttlMs() says for how long an answer holds, and nothing of a name that is not there", async () => {
  await using server = await startDnsServer();
  const [address = "", port] = server.address.split(":");
  const { ttlMs } = resolverFrom({ address, port: Number(port) });
  server.set([
    { name: "four.test", type: "A", address: "127.0.0.3" },
    { name: "six.test", type: "AAAA", address: "::1" },
  ]);
  // The server of this machine's own replicas lets nobody keep its answers.
  assert.deepEqual([await ttlMs?.("four.test"), await ttlMs?.("six.test")], [0, 0]);
  assert.equal(await ttlMs?.("none.test"), undefined);
});
