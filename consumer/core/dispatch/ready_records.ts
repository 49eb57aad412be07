// ReadyRecords: which record leaves next. Partitions take turns; retries go before new records; one of a lane at a time.

import type { Delivery } from "../delivery.ts";
import { bitsFit, entriesMax } from "../offsets/offset_map.ts";
import type { Partition } from "../partition.ts";
import { RingQueue } from "../structures/ring_queue.ts";

/** What a partition's new records may have to wait for. */
export interface StartRules {
  /** For news of which keys are parked. */
  readonly parkKeys: boolean;
  /** For the attempts that are still out from when the partition was ours before: records have an order. */
  readonly ordered: boolean;
  /** For older ones, where the offset map would not fit. */
  readonly maxAttempts: number;
  readonly metadataBytesMax: number;
}

/** The ready records of all partitions. */
export class ReadyRecords<R> {
  readonly #turns: RingQueue<Partition<R>> = new RingQueue();
  readonly #rules: StartRules;
  /** So many entries fit into an offset map however far apart they are. */
  readonly #alwaysFit: number;
  /** Attempts of revoked partitions that are still out, by partition. */
  readonly #lingering: Map<string, number> = new Map();
  #newRecords = 0;

  constructor(rules: StartRules) {
    this.#rules = rules;
    this.#alwaysFit = entriesMax(Number.MAX_SAFE_INTEGER, rules.maxAttempts, rules.metadataBytesMax);
  }

  /** New records that wait for nothing but a permit. */
  get newRecords(): number {
    return this.#newRecords;
  }

  /** Whether any record is ready. */
  get hasReady(): boolean {
    return this.#turns.length > 0;
  }

  /** Takes in a new record: ready, or behind those of its lane. */
  enqueue(delivery: Delivery<R>): void {
    const { partition, lane } = delivery;
    const behind = lane === undefined ? undefined : partition.lanes.get(lane);
    if (behind !== undefined) {
      behind.push(delivery);
      return;
    }
    if (lane !== undefined) partition.lanes.set(lane, new RingQueue());
    partition.newRecords.push(delivery);
    this.#count(partition, 1);
    this.offer(partition);
  }

  /** A record that was sent before is ready again. */
  requeue(delivery: Delivery<R>): void {
    delivery.makeReady();
    const { retries, suspects } = delivery.partition;
    (delivery.hasFailed ? suspects : retries).push(delivery);
    this.offer(delivery.partition);
  }

  /** A record is done with its lane: the next of the lane is ready. */
  release({ partition, lane }: Delivery<R>): void {
    if (lane === undefined) return;
    const next = partition.lanes.get(lane)?.shift();
    if (next === undefined) {
      partition.lanes.delete(lane);
      return;
    }
    partition.unblocked.push(next.offset, next);
    this.#count(partition, 1);
    this.offer(partition);
  }

  /** A new record's turn comes again later: it keeps its lane. */
  defer(delivery: Delivery<R>): void {
    delivery.partition.deferred.push(delivery);
  }

  /** What was put aside has another turn. */
  resumeDeferred(home: Partition<R>): void {
    if (home.revoked) return;
    for (const delivery of home.deferred.splice(0)) {
      home.unblocked.push(delivery.offset, delivery);
      this.#count(home, 1);
    }
    this.offer(home);
  }

  /** The next record to send. `fresh` says whether new records may start at all, `suspects` whether those that failed. */
  next(fresh: boolean, suspects: boolean): Delivery<R> | undefined {
    for (let turns = this.#turns.length; turns > 0; turns--) {
      const partition = this.#turns.shift();
      if (partition === undefined) return undefined;
      partition.queued = false;
      const delivery = this.#take(partition, fresh, suspects);
      this.offer(partition);
      if (delivery !== undefined) return delivery;
    }
    return undefined;
  }

  /** The next record to probe with: one that never was sent if there is one, else those sent before in turn. */
  nextProbe(): Delivery<R> | undefined {
    for (let turns = this.#turns.length; turns > 0; turns--) {
      const partition = this.#turns.shift();
      if (partition === undefined) break;
      const delivery = partition.held ? undefined : this.#takeNew(partition);
      partition.queued = false;
      this.offer(partition);
      if (delivery !== undefined) return delivery;
    }
    return this.next(true, true);
  }

  /** A partition may have something to send: it gets a turn. */
  offer(partition: Partition<R>): void {
    if (partition.queued || partition.revoked || partition.held) return;
    if (partition.retries.length + partition.suspects.length + partition.startable === 0) return;
    partition.queued = true;
    this.#turns.push(partition);
  }

  /** An operator holds a partition or lets it go: what is held is not counted as ready. */
  setHeld(partition: Partition<R>, held: boolean): void {
    if (partition.held === held) return;
    if (held) this.#count(partition, -partition.startable);
    partition.held = held;
    if (!held) this.#count(partition, partition.startable);
    this.offer(partition);
  }

  /** So many attempts of a revoked partition are out; negative where they ended. */
  linger({ id }: Partition<R>, attempts: number): void {
    if (!this.#rules.ordered || attempts === 0) return;
    const left = (this.#lingering.get(id) ?? 0) + attempts;
    if (left > 0) this.#lingering.set(id, left);
    else this.#lingering.delete(id);
  }

  /** Whether no new record of a partition may start for want of room in its offset map. */
  isMapFull(partition: Partition<R>): boolean {
    return partition.startable > 0 && !this.#fits(partition, partition.ledger.position);
  }

  /** A partition is gone, and its records with it. */
  forget(partition: Partition<R>): void {
    this.#count(partition, -partition.startable);
  }

  #count({ held }: Partition<R>, records: number): void {
    if (!held) this.#newRecords += records;
  }

  #take(partition: Partition<R>, fresh: boolean, suspects: boolean): Delivery<R> | undefined {
    if (partition.revoked || partition.held) return undefined;
    return takeReady(partition.retries) ?? (suspects ? takeReady(partition.suspects) : undefined) ??
      (fresh ? this.#takeNew(partition) : undefined);
  }

  /** Whether the offset map has room for one more record, up to this offset. The head needs none: it frees some. */
  #fits({ ledger, asideUncounted }: Partition<R>, offset: number): boolean {
    if (ledger.mapEntries < this.#alwaysFit) return true;
    const { maxAttempts, metadataBytesMax } = this.#rules;
    const span = offset - ledger.committable();
    if (span === 0 || ledger.mapEntries < entriesMax(span, maxAttempts, metadataBytesMax)) return true;
    // A flood of bad records makes many short runs of good ones: as bits they take little.
    return bitsFit(span + 1, ledger.started + 1 - asideUncounted, maxAttempts, metadataBytesMax);
  }

  #takeNew(partition: Partition<R>): Delivery<R> | undefined {
    const { id, newRecords, unblocked, parking, revoked } = partition;
    if (revoked || this.#rules.parkKeys && !parking.known || this.#lingering.has(id)) return undefined;
    const first = newRecords.peek();
    const older = unblocked.length > 0 ? unblocked.peek() : undefined;
    const queue = older !== undefined && older.offset < (first?.offset ?? Infinity) ? unblocked : newRecords;
    const next = queue === unblocked ? older : first;
    if (next === undefined || !this.#fits(partition, next.offset)) return undefined;
    this.#count(partition, -1);
    return queue === unblocked ? unblocked.takeDue(Infinity) : newRecords.shift();
  }
}

/** An operator may have taken some out meanwhile. */
function takeReady<R>(queue: RingQueue<Delivery<R>>): Delivery<R> | undefined {
  while (queue.length > 0) {
    const next = queue.shift();
    if (next?.state === "ready") return next;
  }
  return undefined;
}
