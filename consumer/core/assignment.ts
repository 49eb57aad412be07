// What we hold: the partitions that are ours, what was received of them, and what of that is settled.

import type { Commits } from "./commits.ts";
import type { Delivery, Received } from "./delivery.ts";
import type { Assigned, Event } from "./events.ts";
import { Intake, type IntakeBounds } from "./backpressure.ts";
import { decodeOffsetMap } from "./offsets/offset_map.ts";
import type { Outbox } from "./outbox.ts";
import { Partition } from "./partition.ts";
import { partitionId, type TopicPartition } from "../records/position.ts";
import { laneOf, type Policy } from "./policies/delivery_mode.ts";

/** The partitions of the current assignment and their ledgers. */
export class Holdings<R> {
  readonly #policy: Policy;
  readonly #commits: Commits<R>;
  readonly #outbox: Outbox<R>;
  readonly #intake: Intake<R>;
  readonly #partitions: Map<string, Partition<R>> = new Map();
  #newsMs: number | undefined;

  constructor(policy: Policy, bounds: IntakeBounds, commits: Commits<R>, outbox: Outbox<R>) {
    this.#policy = policy;
    this.#commits = commits;
    this.#outbox = outbox;
    this.#intake = new Intake(bounds);
  }

  /** The partitions that are ours. */
  get partitions(): readonly Partition<R>[] {
    return [...this.#partitions.values()];
  }

  /** A partition that is ours. */
  find(at: TopicPartition): Partition<R> | undefined {
    return this.#partitions.get(partitionId(at));
  }

  /** When the last record or assignment came, in ms; undefined while an assignment is awaited. */
  get newsMs(): number | undefined {
    return this.#newsMs;
  }

  /** Whether everything that may come has come and is settled, as far as can be seen from here. */
  get empty(): boolean {
    for (const partition of this.#partitions.values()) {
      if (partition.paused || partition.backlog() > 0) return false;
    }
    return true;
  }

  /** An assignment is awaited. */
  await(): void {
    this.#newsMs = undefined;
  }

  /** Partitions are ours now. */
  assign(epoch: number, partitions: readonly Assigned[], nowMs: number): void {
    this.#newsMs = nowMs;
    for (const { offset, metadata, ...at } of partitions) {
      const decoded = decodeOffsetMap(metadata, offset);
      const inherited = decoded.kind === "map" ? decoded.map : { settled: [], attempts: new Map() };
      if (decoded.kind === "untrusted") this.#outbox.notice({ kind: "map_untrusted", at, why: decoded.why });
      const partition = new Partition<R>(at, epoch, { offset, metadata: metadata ?? "" }, inherited);
      this.#partitions.set(partition.id, partition);
    }
    this.share(nowMs);
  }

  /** A partition is not ours any more; what was of it belongs to nobody here. Undefined when it was not ours. */
  giveUp(at: TopicPartition): Partition<R> | undefined {
    const partition = this.#partitions.get(partitionId(at));
    if (partition === undefined) return undefined;
    this.#partitions.delete(partition.id);
    this.#intake.forget(partition);
    return partition;
  }

  /** The shares have changed, and what is gone holds no memory: others may go on, or have to wait. */
  share(nowMs: number): void {
    this.#intake.share(this.#partitions.size);
    for (const partition of this.#partitions.values()) this.#regulate(partition, nowMs);
  }

  /** What `fast` committed may be ahead of what is settled: there is something to say about all of it. */
  touchAll(nowMs: number): void {
    for (const partition of this.#partitions.values()) this.#commits.touch(partition, nowMs);
  }

  /** Takes records in and returns those that are to be delivered. */
  receive(event: Extract<Event<R>, { type: "received" }>, nowMs: number): readonly Delivery<R>[] {
    const partition = this.#partitions.get(partitionId(event.from));
    if (partition === undefined || partition.epoch !== event.epoch) return [];
    const before = partition.ledger.committable();
    const taken: Delivery<R>[] = [];
    for (const record of event.records) {
      // Below the position it is a second fetch of what the ledger holds already.
      if (record.offset < partition.ledger.position) continue;
      if (!partition.settledBefore(record.offset)) taken.push(this.#take(partition, record, nowMs));
      else this.#skip(partition, record.offset, nowMs);
    }
    partition.ledger.advance(event.position);
    partition.highWatermark = Math.max(event.highWatermark, partition.ledger.position);
    if (partition.ledger.committable() !== before || this.#policy.extent === "received") {
      this.#commits.touch(partition, nowMs);
    }
    if (event.records.length > 0 && this.#newsMs !== undefined) this.#newsMs = nowMs;
    this.#regulate(partition, nowMs);
    return taken;
  }

  /** A record is settled. */
  settle(delivery: Delivery<R>, nowMs: number): void {
    const { home } = delivery;
    delivery.state = "settled";
    home.ledger.settle(delivery.seq);
    if (delivery.posts > 0) home.started -= 1;
    this.#intake.remove(delivery);
    this.#commits.touch(home, nowMs);
    this.#outbox.notice({ kind: "settled", delivery });
    this.#regulate(home, nowMs);
  }

  #skip(partition: Partition<R>, offset: number, nowMs: number): void {
    partition.ledger.receiveSettled(offset);
    this.#commits.touch(partition, nowMs);
  }

  #take(partition: Partition<R>, received: Received<R>, nowMs: number): Delivery<R> {
    const attempts = partition.attemptsBefore(received.offset);
    const delivery: Delivery<R> = {
      ...received,
      home: partition,
      lane: laneOf(this.#policy.order, received.key),
      receivedMs: nowMs,
      seq: 0,
      state: "ready",
      attempts,
      posts: attempts,
      failures: attempts,
      last: undefined,
      failedMs: undefined,
      sentMs: undefined,
      taken: false,
      batched: false,
      reason: undefined,
      behind: undefined,
    };
    delivery.seq = partition.ledger.receive(received.offset, delivery);
    if (attempts > 0) {
      partition.started += 1;
      partition.ledger.touch(delivery.seq);
    }
    this.#intake.add(delivery);
    return delivery;
  }

  #regulate(partition: Partition<R>, nowMs: number): void {
    for (const changed of this.#intake.regulate(partition, this.#partitions.values())) {
      // Whoever was paused has had no chance to bring a record: idle time begins again.
      if (!changed.paused && this.#newsMs !== undefined) this.#newsMs = nowMs;
      this.#outbox.emit({ type: changed.paused ? "pause" : "resume", partition: changed });
    }
  }
}
