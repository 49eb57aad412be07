// Tests of what a replica's /readyz says.

import assert from "node:assert/strict";
import { Connections } from "../../../../../shared/pool/exchange/connections.ts";
import { resolverFrom } from "../../../../../shared/pool/discovery/dns.ts";
import { resolveEndpoints } from "../../../../../shared/pool/discovery/endpoints.ts";
import { HealthChecks } from "../../../../../shared/pool/replicas/health_checks.ts";
import { Replica } from "../../../../../shared/pool/replicas/replica.ts";
import { StubWorker } from "../../../../support/workers/stub_worker.ts";

Deno.test("HealthChecks.ask() hands on what a ready replica says of batches", async () => {
  await using worker = new StubWorker();
  const failed = () => assert.fail("an address needs no look-up");
  const [endpoint] = await resolveEndpoints([new URL(worker.url)], [], resolverFrom(undefined), failed);
  assert.ok(endpoint);
  const connections = new Connections(1000);
  const replica = new Replica(endpoint.address, 8);
  const offers: (string | undefined)[] = [];
  const checks = new HealthChecks({
    agent: connections.single,
    replicas: () => [replica],
    endpointOf: () => undefined,
    budgetBack: () => {},
    changed: () => {},
    offered: (_, offer) => offers.push(offer),
  });
  const headers = { "ackpool-batch": "ndjson; max=16" };
  for (const [status, said] of [[200, headers], [200, {}], [503, headers]] as const) {
    worker.ready = () => new Response(null, { status, headers: said });
    assert.equal(await checks.ask(endpoint), status === 200 ? "ready" : "not-ready");
  }
  assert.deepEqual(offers, ["ndjson; max=16"]);
  checks.close();
  await connections.close();
});

Deno.test("HealthChecks.ask() keeps what a replica says is wrong, and tells once that a spent budget is back", async () => {
  await using worker = new StubWorker();
  const failed = () => assert.fail("an address needs no look-up");
  const [endpoint] = await resolveEndpoints([new URL(worker.url)], [], resolverFrom(undefined), failed);
  assert.ok(endpoint);
  const connections = new Connections(1000);
  const replica = new Replica(endpoint.address, 8);
  let back = 0;
  const checks = new HealthChecks({
    agent: connections.single,
    replicas: () => [replica],
    endpointOf: () => undefined,
    budgetBack: () => back += 1,
    changed: () => {},
    offered: () => {},
  });
  const spent = { name: "budget-spent", detail: "5 of 5 USD", remedy: "Wait" };
  for (const causes of [[], [spent], [spent], [], []]) {
    worker.ready = () => Response.json({ causes }, { status: causes.length === 0 ? 200 : 503 });
    await checks.ask(endpoint);
    assert.deepEqual(replica.complaints, causes);
  }
  assert.equal(back, 1);
  checks.close();
  await connections.close();
});
