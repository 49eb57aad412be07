// ConsumerMetrics: what the consumer counts, under Prometheus's conventional names.

import { monotonicMs } from "../../shared/clock.ts";
import process from "node:process";
import { Counter, Histogram, Registry } from "prom-client";
import type { Cause } from "../../shared/http/health.ts";
import { gauge, labelledGauge, SECONDS, total } from "../../shared/metrics.ts";
import { type MachineView, parkedKeys, type PartitionView } from "../core/view.ts";
import type { Scale } from "../core/scale.ts";
import { observePool } from "./pool_metrics.ts";
import type { ObservedPool } from "../senders/sender.ts";

/** The consumer's metrics, all in one registry. */
export class ConsumerMetrics {
  readonly registry = new Registry();
  readonly attempts = this.#counter("ackpool_attempts_total", "Attempts, by what they came to", ["outcome"]);
  readonly settled = this.#counter("ackpool_records_settled_total", "Records settled");
  readonly retries = this.#counter("ackpool_retries_total", "Retries, by whether an attempt was counted", [
    "counted",
  ]);
  readonly deadLetters = this.#counter("ackpool_dead_letters_total", "Dead letters, by reason", ["reason"]);
  readonly commits = this.#counter("ackpool_commits_total", "Commits, by the broker's word", ["result"]);
  readonly offsetResets = this.#counter(
    "ackpool_offset_resets_total",
    "Places of the group that Kafka no longer has: reading goes on where KAFKA_AUTO_OFFSET_RESET says",
    ["topic"],
  );
  readonly attemptSeconds = new Histogram({
    name: "ackpool_attempt_duration_seconds",
    help: "Time an attempt took",
    buckets: SECONDS,
    registers: [this.registry],
  });

  #counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  /** Gauges that are read when they are asked for. */
  observe(read: {
    view: () => MachineView;
    pool: ObservedPool;
    causes: () => readonly Cause[];
    scale: () => Scale;
  }): void {
    const add = (name: string, help: string, value: () => number) => gauge(this.registry, name, help, value);
    add("ackpool_in_flight", "Attempts in flight", () => read.view().inFlight);
    add("ackpool_permits", "Attempts that may be in flight at once", () => read.view().permits);
    add("ackpool_records_waiting_retry", "Records that wait for their retry", () => read.view().waiting);
    add(
      "ackpool_held_bytes",
      "Bytes of the records that are held, as they are counted against the bounds",
      () => read.view().heldBytes,
    );
    add(
      "ackpool_backlog_records",
      "Records received or waiting that are not settled",
      () => read.view().partitions.reduce((sum, partition) => sum + partition.backlog, 0),
    );
    add(
      "ackpool_replicas",
      "Replicas that take work",
      () => read.pool.replicas.filter((replica) => replica.permits(monotonicMs()) > 0).length,
    );
    add(
      "ackpool_oldest_record_age_seconds",
      "Age of the oldest unsettled record",
      () => (read.scale().oldestAgeMs ?? 0) / 1000,
    );
    add(
      "ackpool_wanted_replicas",
      "Replicas that would clear the backlog in TARGET_DRAIN_SECONDS",
      () => read.scale().wantedReplicas,
    );
    add(
      "ackpool_parked_keys",
      "Keys whose records follow a dead letter, or wait for its replay",
      () => parkedKeys(read.view()).reduce((count) => count + 1, 0),
    );
    this.#perPartition(
      "ackpool_partition_backlog_records",
      "Backlog of a partition",
      read.view,
      (each) => each.backlog,
    );
    this.#perPartition(
      "ackpool_partition_watermark",
      "Committable offset",
      read.view,
      (each) => each.watermark,
    );
    observePool(this.registry, () => read.pool);
    this.#observeCauses(read.causes);
    this.#observeProcess();
  }

  /** As every Prometheus client names them; read without a permission that the task would have to give. */
  #observeProcess(): void {
    gauge(
      this.registry,
      "process_resident_memory_bytes",
      "Resident memory size in bytes",
      () => Deno.memoryUsage().rss,
    );
    gauge(
      this.registry,
      "process_start_time_seconds",
      "Start time of the process since the epoch, in seconds",
      () => performance.timeOrigin / 1000,
    );
    total(
      this.registry,
      "process_cpu_seconds_total",
      "Processor time spent, user and system, in seconds",
      () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      },
    );
  }

  #perPartition(
    name: string,
    help: string,
    view: () => MachineView,
    value: (partition: PartitionView) => number,
  ): void {
    labelledGauge(
      this.registry,
      name,
      help,
      ["topic", "partition"],
      () =>
        view().partitions.map((each) =>
          [{ topic: each.topic, partition: each.partition }, value(each)] as const
        ),
    );
  }

  #observeCauses(causes: () => readonly Cause[]): void {
    const help = "1 for every cause that holds delivery up";
    labelledGauge(
      this.registry,
      "ackpool_paused",
      help,
      ["cause"],
      () => causes().map(({ name }) => [{ cause: name }, 1] as const),
    );
  }
}
