// What consumer, worker and ingress export at /metrics, by name and with the labels, without running either.

import type { Metric, Registry } from "prom-client";
import { ConsumerMetrics } from "../../consumer/metrics/consumer_metrics.ts";
import { createIngressMetrics } from "../../worker/ingress/metrics.ts";
import { createMetrics } from "../../worker/metrics.ts";

/** Names as they are exported, with their labels. */
export function exportedMetrics(): ReadonlyMap<string, readonly string[]> {
  const consumer = new ConsumerMetrics();
  // Gauges are read when they are collected, and nothing is collected here.
  consumer.observe({} as never);
  const others = [createMetrics({} as never).registry, createIngressMetrics({} as never).registry];
  return new Map([consumer.registry, ...others].flatMap(exportsOf));
}

function exportsOf(registry: Registry): [string, readonly string[]][] {
  const metrics = registry.getMetricsAsArray() as unknown as readonly (Metric & {
    readonly name: string;
    readonly labelNames: readonly string[];
    readonly buckets?: unknown;
  })[];
  return metrics.flatMap(({ name, labelNames, buckets }) => {
    const names = buckets === undefined ? [name] : [`${name}_bucket`, `${name}_sum`, `${name}_count`];
    return names.map((each): [string, readonly string[]] => [each, labelNames]);
  });
}
