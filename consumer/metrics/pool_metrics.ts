// What the pool knows of its replicas and of the provider behind them, in Prometheus's terms.

import { monotonicMs } from "../../shared/clock.ts";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Pool } from "../../shared/pool/pool.ts";
import type { ObservedPool } from "../senders/sender.ts";
import { outFor } from "../../shared/pool/causes.ts";
import type { Replica } from "../../shared/pool/replicas/replica.ts";

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
  new Gauge({
    name: `ackpool_replica_${name}`,
    help,
    labelNames: ["replica"],
    registers: [registry],
    collect() {
      this.reset();
      for (const replica of pool().replicas) this.set({ replica: replica.address }, value(replica));
    },
  });
}

function observeOut(registry: Registry, pool: () => ObservedPool): void {
  new Gauge({
    name: "ackpool_replica_out",
    help: "1 for every replica that gets nothing new, by why: an ejection, draining, resting or leaving",
    labelNames: ["replica", "why"],
    registers: [registry],
    collect() {
      this.reset();
      for (const replica of pool().replicas) {
        const why = outFor(replica, monotonicMs());
        if (why !== undefined) this.set({ replica: replica.address, why }, 1);
      }
    },
  });
}

/** No sample where nothing is known to limit anything. */
function observeProvider(registry: Registry, pool: () => ObservedPool): void {
  const gauge = (name: string, help: string, value: (provider: Pool["provider"]) => number | undefined) =>
    new Gauge({
      name: `ackpool_provider_${name}`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        const { provider } = pool();
        const known = provider === undefined ? undefined : value(provider);
        if (known === undefined || known === Infinity) this.remove();
        else this.set(known);
      },
    });
  gauge("limit", "Attempts at once that the provider bears, as learned", ({ limit }) => limit);
  gauge("rate", "Attempts a second that the provider gives", ({ ratePerSecond }) => ratePerSecond);
  gauge(
    "rest_seconds",
    "Time for which nothing leaves because the provider says so",
    ({ restUntilMs }) => Math.max(0, restUntilMs - monotonicMs()) / 1000,
  );
}

function observeHedges(registry: Registry, pool: () => ObservedPool): void {
  const hedges = new Counter({
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
  hedges.inc({ result: "sent" }, 0);
}
