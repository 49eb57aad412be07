// Metrics of an ingress, under Prometheus's conventional names.

import { Counter, Histogram, Registry } from "prom-client";
import { gauge, SECONDS } from "../../shared/metrics.ts";

/** What the ingress counts. Every app has a registry of its own. */
export interface IngressMetrics {
  readonly registry: Registry;
  readonly calls: Counter<"status">;
  readonly callSeconds: Histogram;
  readonly waitSeconds: Histogram;
  readonly tries: Counter;
}

/** What is read at the moment of the scrape. */
export interface IngressGauges {
  readonly waiting: () => number;
  readonly inFlight: () => number;
  readonly permits: () => number;
}

/** Makes a fresh set of metrics. */
export function createIngressMetrics(gauges: IngressGauges): IngressMetrics {
  const registry = new Registry();
  const registers = [registry];
  const name = (rest: string) => `ackpool_ingress_${rest}`;
  gauge(registry, name("waiting"), "Calls that wait for a permit or a replica.", gauges.waiting);
  gauge(registry, name("in_flight"), "Calls on their way.", gauges.inFlight);
  gauge(registry, name("permits"), "Calls that may be on their way at once.", gauges.permits);
  return {
    registry,
    calls: new Counter({
      name: name("calls_total"),
      help: "Calls answered, by status; 499 where the caller went away.",
      labelNames: ["status"],
      registers,
    }),
    callSeconds: new Histogram({
      name: name("call_duration_seconds"),
      help: "Time from a call's arrival to the end of its answer.",
      buckets: SECONDS,
      registers,
    }),
    waitSeconds: new Histogram({
      name: name("wait_seconds"),
      help: "Time from a call's arrival to its last try: waiting for a permit or a replica.",
      buckets: SECONDS,
      registers,
    }),
    tries: new Counter({
      name: name("tries_total"),
      help: "Requests sent to replicas: more than calls where a replica was full or away.",
      registers,
    }),
  };
}
