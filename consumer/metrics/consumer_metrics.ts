// What the consumer counts, in Prometheus's terms.

import { monotonicMs } from "../../shared/clock.ts";
import process from "node:process";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Cause } from "../../shared/http/health.ts";
import { parkedKeys } from "../core/view.ts";
import type { Scale } from "../core/scale.ts";
import type { MachineView } from "../core/machine.ts";
import { observePool } from "./pool_metrics.ts";
import type { ObservedPool } from "../senders/sender.ts";

/** Seconds an attempt takes: from a quick refusal to an LLM at its time limit. */
const ATTEMPT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

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
    buckets: ATTEMPT_BUCKETS,
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
    view: () => MachineView<unknown>;
    pool: ObservedPool;
    causes: () => readonly Cause[];
    scale: () => Scale;
  }): void {
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(value());
        },
      });
    gauge("ackpool_in_flight", "Attempts in flight", () => read.view().inFlight);
    gauge("ackpool_permits", "Attempts that may be in flight at once", () => read.view().permits);
    gauge("ackpool_records_waiting_retry", "Records that wait for their retry", () => read.view().waiting);
    gauge(
      "ackpool_backlog_records",
      "Records received or waiting that are not settled",
      () => read.view().partitions.reduce((sum, partition) => sum + partition.backlog(), 0),
    );
    gauge(
      "ackpool_replicas",
      "Replicas that take work",
      () => read.pool.replicas.filter((replica) => replica.permits(monotonicMs()) > 0).length,
    );
    gauge(
      "ackpool_oldest_record_age_seconds",
      "Age of the oldest unsettled record",
      () => (read.scale().oldestAgeMs ?? 0) / 1000,
    );
    gauge(
      "ackpool_wanted_replicas",
      "Replicas that would clear the backlog in TARGET_DRAIN_SECONDS",
      () => read.scale().wantedReplicas,
    );
    gauge(
      "ackpool_parked_keys",
      "Keys whose records follow a dead letter, or wait for its replay",
      () => parkedKeys(read.view()).reduce((count) => count + 1, 0),
    );
    this.#perPartition(
      "ackpool_partition_backlog_records",
      "Backlog of a partition",
      read.view,
      (each) => each.backlog(),
    );
    this.#perPartition(
      "ackpool_partition_watermark",
      "Committable offset",
      read.view,
      (each) => each.ledger.committable(),
    );
    observePool(this.registry, () => read.pool);
    this.#observeCauses(read.causes);
    this.#observeProcess();
  }

  /** As every Prometheus client names them; read without a permission that the task would have to give. */
  #observeProcess(): void {
    new Gauge({
      name: "process_resident_memory_bytes",
      help: "Resident memory size in bytes",
      registers: [this.registry],
      collect() {
        this.set(Deno.memoryUsage().rss);
      },
    });
    new Gauge({
      name: "process_start_time_seconds",
      help: "Start time of the process since the epoch, in seconds",
      registers: [this.registry],
    }).set(performance.timeOrigin / 1000);
    const cpu = new Counter({
      name: "process_cpu_seconds_total",
      help: "Processor time spent, user and system, in seconds",
      registers: [this.registry],
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    });
    cpu.inc(0);
  }

  #perPartition(
    name: string,
    help: string,
    view: () => MachineView<unknown>,
    value: (partition: MachineView<unknown>["partitions"][number]) => number,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: ["topic", "partition"],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const each of view().partitions) {
          this.set({ topic: each.topic, partition: each.partition }, value(each));
        }
      },
    });
  }

  #observeCauses(causes: () => readonly Cause[]): void {
    new Gauge({
      name: "ackpool_paused",
      help: "1 for every cause that holds delivery up",
      labelNames: ["cause"],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { name } of causes()) this.set({ cause: name }, 1);
      },
    });
  }
}
