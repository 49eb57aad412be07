import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { observePool } from "../../../../consumer/metrics/pool_metrics.ts";
import type { ObservedPool } from "../../../../consumer/senders/sender.ts";
import { Balancer } from "../../../../shared/pool/replicas/balancer.ts";

Deno.test("observePool() shows every replica's limit, load and latency, and why one gets nothing", async () => {
  const balancer = new Balancer(4, () => 0);
  balancer.setAddresses(["http://a", "http://b"], 0);
  const nowMs = Date.now();
  const [a] = balancer.replicas;
  assert.ok(a !== undefined);
  balancer.start(a, nowMs);
  const quick = balancer.start(a, nowMs - 250);
  balancer.recordFinished(quick, { kind: "answer", status: 200 }, nowMs);
  balancer.replicas[1]?.setDraining(true, nowMs);
  const registry = new Registry();
  observePool(registry, () => balancer);
  const lines = (await registry.metrics()).split("\n");
  const has = (line: string) => assert.ok(lines.includes(line), `${line} is not in:\n${lines.join("\n")}`);
  has('ackpool_replica_in_flight{replica="http://a"} 1');
  has('ackpool_replica_limit{replica="http://a"} 4');
  has('ackpool_replica_limit{replica="http://b"} 0');
  has('ackpool_replica_out{replica="http://b",why="draining"} 1');
  assert.match(lines.join("\n"), /ackpool_replica_latency_seconds\{replica="http:\/\/a"\} 0\.25/);
  assert.ok(!lines.some((line) => line.startsWith("ackpool_provider_limit ")));
  has("ackpool_provider_rest_seconds 0");
});

Deno.test("observePool() shows what the provider bears once that is known, and nothing of a pool without one", async () => {
  const registry = new Registry();
  let pool: ObservedPool = { replicas: [], provider: { limit: 37, ratePerSecond: 10, restUntilMs: 0 } };
  observePool(registry, () => pool);
  const known = await registry.metrics();
  assert.match(known, /^ackpool_provider_limit 37$/m);
  assert.match(known, /^ackpool_provider_rate 10$/m);
  pool = { replicas: [], hedges: { sent: 3, won: 1 } };
  const unknown = await registry.metrics();
  assert.doesNotMatch(unknown, /^ackpool_provider_/m);
  assert.match(unknown, /^ackpool_hedges_total\{result="won"\} 1$/m);
});
