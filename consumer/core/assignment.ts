// Assignment: the partitions that are ours, what was received of them, and what of that is settled.

import type { Commits } from "./commits.ts";
import { Delivery, type Received } from "./delivery.ts";
import type { Assigned, Event } from "./events.ts";
import { Backpressure, type BackpressureBounds } from "./backpressure.ts";
import { decodeOffsetMap } from "./offsets/offset_map.ts";
import type { Outbox } from "./events.ts";
import { Partition } from "./partition.ts";
import { partitionId, type TopicPartition } from "../records/position.ts";
import { type DeliveryPolicy, laneOf } from "./policies/delivery_mode.ts";

/** The partitions of the current assignment and their ledgers. */
export class Assignment<R> {
  readonly #policy: DeliveryPolicy;
  readonly #commits: Commits<R>;
  readonly #outbox: Outbox<R>;
  readonly #backpressure: Backpressure<R>;
  readonly #partitions: Map<string, Partition<R>> = new Map();
  readonly #touched: Set<Partition<R>> = new Set();
  #lastActivityMs: number | undefined;

  constructor(policy: DeliveryPolicy, bounds: BackpressureBounds, commits: Commits<R>, outbox: Outbox<R>) {
    this.#policy = policy;
    this.#commits = commits;
    this.#outbox = outbox;
    this.#backpressure = new Backpressure(bounds);
  }

  /** The partitions that are ours. */
  get partitions(): Iterable<Partition<R>> {
    return this.#partitions.values();
  }

  /** A partition that is ours. */
  find(at: TopicPartition): Partition<R> | undefined {
    return this.#partitions.get(partitionId(at));
  }

  /** When the last record or assignment came, in ms; undefined while an assignment is awaited. */
  get lastActivityMs(): number | undefined {
    return this.#lastActivityMs;
  }

  /** Whether everything that was seen at the broker is received and settled. */
  get empty(): boolean {
    for (const partition of this.#partitions.values()) {
      if (partition.paused || partition.backlog() > 0) return false;
    }
    return true;
  }

  /** An assignment is awaited. */
  expectAssignment(): void {
    this.#lastActivityMs = undefined;
  }

  /** Partitions are ours now. */
  assign(epoch: number, partitions: readonly Assigned[], nowMs: number): void {
    this.#lastActivityMs = nowMs;
    for (const { offset, metadata, ...at } of partitions) {
      const decoded = decodeOffsetMap(metadata, offset);
      const inherited = decoded.kind === "map" ? decoded.map : { settled: [], attempts: new Map() };
      if (decoded.kind === "untrusted") {
        this.#outbox.push({ type: "notice", notice: { kind: "map_untrusted", at, why: decoded.why } });
      }
      const partition = new Partition<R>(at, epoch, { offset, metadata: metadata ?? "" }, inherited);
      this.#partitions.set(partition.id, partition);
    }
    this.rebalanceShares(nowMs);
  }

  /** Removes a partition; undefined when it was not ours. */
  giveUp(at: TopicPartition): Partition<R> | undefined {
    const partition = this.#partitions.get(partitionId(at));
    if (partition === undefined) return undefined;
    this.#partitions.delete(partition.id);
    this.#backpressure.forget(partition);
    return partition;
  }

  /** Shares the bounds out again: the partitions have changed. */
  rebalanceShares(nowMs: number): void {
    this.#backpressure.rebalanceShares(this.#partitions.size);
    for (const partition of this.#partitions.values()) this.#regulate(partition, nowMs);
  }

  /** `fast` may have committed more than is settled: every partition has something to commit. */
  markAllDirty(nowMs: number): void {
    for (const partition of this.#partitions.values()) this.#commits.markDirty(partition, nowMs);
  }

  /** Takes records in and returns those that are to be delivered. */
  receive(event: Extract<Event<R>, { type: "received" }>, nowMs: number): readonly Delivery<R>[] {
    const partition = this.#partitions.get(partitionId(event.from));
    if (partition === undefined || partition.epoch !== event.epoch) return [];
    const before = partition.ledger.committable();
    const taken: Delivery<R>[] = [];
    for (const record of event.records) {
      // Below the position it was fetched before.
      if (record.offset < partition.ledger.position) continue;
      if (!partition.inherits || !partition.settledBefore(record.offset)) {
        taken.push(this.#take(partition, record, nowMs));
      } else this.#skip(partition, record.offset, nowMs);
    }
    partition.ledger.advance(event.position);
    partition.highWatermark = Math.max(event.highWatermark, partition.ledger.position);
    if (partition.ledger.committable() !== before || this.#policy.extent === "received") {
      this.#commits.markDirty(partition, nowMs);
    }
    if (event.records.length > 0 && this.#lastActivityMs !== undefined) this.#lastActivityMs = nowMs;
    this.#regulate(partition, nowMs);
    return taken;
  }

  /** A record waits to be dead-lettered: it makes room for others. */
  setAside(delivery: Delivery<R>): void {
    this.#backpressure.setAside(delivery);
    this.#touched.add(delivery.partition);
  }

  /** Whether records were set aside since partitions were last regulated. */
  get hasTouched(): boolean {
    return this.#touched.size > 0;
  }

  /** Partitions with records that were set aside go on, or have to wait. */
  regulateTouched(nowMs: number): void {
    for (const partition of this.#touched) if (!partition.revoked) this.#regulate(partition, nowMs);
    this.#touched.clear();
  }

  /** A record is settled. */
  settle(delivery: Delivery<R>, nowMs: number): void {
    const { partition } = delivery;
    delivery.settle();
    partition.ledger.settle(delivery.entry);
    this.#backpressure.remove(delivery);
    this.#commits.markDirty(partition, nowMs);
    this.#outbox.push({ type: "notice", notice: { kind: "settled", delivery } });
    if (partition.paused || this.#backpressure.full) this.#regulate(partition, nowMs);
  }

  #skip(partition: Partition<R>, offset: number, nowMs: number): void {
    partition.ledger.receiveSettled(offset);
    this.#commits.markDirty(partition, nowMs);
  }

  #take(partition: Partition<R>, received: Received<R>, nowMs: number): Delivery<R> {
    const attempts = partition.inherits ? partition.attemptsBefore(received.offset) : 0;
    const { order } = this.#policy;
    const lane = order === "none" ? undefined : laneOf(order, received.key);
    const refused = partition.inherits ? partition.refusedMinutesBefore(received.offset) : 0;
    const delivery = new Delivery(received, partition, lane, attempts, nowMs, refused);
    if (attempts + refused > 0) partition.ledger.markStarted(delivery.entry);
    this.#backpressure.add(delivery);
    return delivery;
  }

  #regulate(partition: Partition<R>, nowMs: number): void {
    for (const changed of this.#backpressure.regulate(partition, this.#partitions.values())) {
      // A paused partition could bring no record, so idle time begins again.
      if (!changed.paused && this.#lastActivityMs !== undefined) this.#lastActivityMs = nowMs;
      this.#outbox.push({ type: changed.paused ? "pause" : "resume", partition: changed });
    }
  }
}
