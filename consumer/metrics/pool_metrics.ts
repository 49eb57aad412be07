// Pool metrics: what the pool knows of its replicas and of the provider, under Prometheus's conventional names.

import { Counter, type Registry } from "prom-client";
import { monotonicMs } from "../../shared/clock.ts";
import { gauge, labelledGauge } from "../../shared/metrics.ts";
import { outFor } from "../../shared/pool/causes.ts";
import type { Pool } from "../../shared/pool/pool.ts";
import type { Replica } from "../../shared/pool/replicas/replica.ts";
import type { ObservedPool } from "../senders/sender.ts";

/** Adds gauges that are read when they are asked for. */
export function observePool(registry: Registry, pool: () => ObservedPool): void {
  perReplica(registry, pool, "in_flight", "Attempts on their way to a replica", ({ inFlight }) => inFlight);
  perReplica(
    registry,
    pool,
    "limit",
    "Attempts at once that a replica takes, as learned; 0 while it gets nothing",
    (replica) => replica.permits(monotonicMs()),
  );
  perReplica(
    registry,
    pool,
    "latency_seconds",
    "Time of an attempt that settled, geometric mean of the latest",
    ({ latencyMs }) => Math.round(latencyMs) / 1000,
  );
  observeOut(registry, pool);
  observeProvider(registry, pool);
  observeHedges(registry, pool);
}

function perReplica(
  registry: Registry,
  pool: () => ObservedPool,
  name: string,
  help: string,
  value: (replica: Replica) => number,
): void {
  labelledGauge(
    registry,
    `ackpool_replica_${name}`,
    help,
    ["replica"],
    () => pool().replicas.map((replica) => [{ replica: replica.address }, value(replica)] as const),
  );
}

function observeOut(registry: Registry, pool: () => ObservedPool): void {
  labelledGauge(
    registry,
    "ackpool_replica_out",
    "1 for every replica that gets nothing new, by why: an ejection, draining, resting or leaving",
    ["replica", "why"],
    () =>
      pool().replicas.flatMap((replica) => {
        const why = outFor(replica, monotonicMs());
        return why === undefined ? [] : [[{ replica: replica.address, why }, 1] as const];
      }),
  );
}

/** No sample where nothing is known to limit anything. */
function observeProvider(registry: Registry, pool: () => ObservedPool): void {
  const add = (name: string, help: string, value: (provider: Pool["provider"]) => number | undefined) =>
    gauge(registry, `ackpool_provider_${name}`, help, () => {
      const { provider } = pool();
      const known = provider === undefined ? undefined : value(provider);
      return known === Infinity ? undefined : known;
    });
  add("limit", "Attempts at once that the provider bears, as learned", ({ limit }) => limit);
  add("rate", "Attempts a second that the provider gives", ({ ratePerSecond }) => ratePerSecond);
  add(
    "rest_seconds",
    "Time for which nothing leaves because the provider says so",
    ({ restUntilMs }) => Math.max(0, restUntilMs - monotonicMs()) / 1000,
  );
}

function observeHedges(registry: Registry, pool: () => ObservedPool): void {
  new Counter({
    name: "ackpool_hedges_total",
    help: "Second attempts for stragglers, and those that were quicker",
    labelNames: ["result"],
    registers: [registry],
    collect() {
      const { sent, won } = pool().hedges ?? { sent: 0, won: 0 };
      this.reset();
      this.inc({ result: "sent" }, sent);
      this.inc({ result: "won" }, won);
    },
  });
}
