// FlowMemory: what the page remembers of the flow: how long records take, where that time goes, and the latest ones.

import { ResponseHeader } from "../../../shared/contract/protocol.ts";
import { ruleFor } from "../../../shared/contract/status_contract.ts";
import type { Delivery } from "../../core/delivery.ts";
import type { KafkaRecord } from "../../records/record.ts";
import { Latencies } from "./latencies.ts";
import { RecentRecords, type SeenAttempt } from "./recent_records.ts";
import { ReplicaStates } from "./replica_states.ts";
import { TimeSpent } from "./time_spent.ts";

/** Bounded in memory, and cheap: the runtime tells it of every record. Times are in ms since the epoch. */
export class FlowMemory {
  /** From a record's own timestamp to its being settled. */
  readonly latencies: Latencies = new Latencies();
  readonly spent: TimeSpent = new TimeSpent();
  readonly records: RecentRecords = new RecentRecords();
  readonly replicas: ReplicaStates = new ReplicaStates();

  attemptFinished(delivery: Delivery<KafkaRecord>, seen: SeenAttempt, nowMs: number): void {
    this.records.attemptFinished(delivery, seen, nowMs);
    if (delivery.attemptsSent > 1 || ruleFor(seen.outcome).disposition !== "settle") return;
    const waitedMs = Math.max(0, (delivery.sentMs ?? nowMs) - delivery.receivedMs);
    this.spent.record(waitedMs, seen.tookMs, seen.headers[ResponseHeader.serverTiming], nowMs);
  }

  recordSettled({ timestampMs }: Delivery<KafkaRecord>, nowMs: number): void {
    // Kafka writes -1 where a record has no timestamp.
    if (timestampMs >= 0) this.latencies.record(nowMs - timestampMs, nowMs);
  }

  deadLettered(delivery: Delivery<KafkaRecord>, nowMs: number): void {
    this.records.deadLettered(delivery, nowMs);
  }
}
