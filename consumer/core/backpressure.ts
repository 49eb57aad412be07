// Backpressure: how much is taken in before partitions are paused, and when they go on.

import type { Delivery } from "./delivery.ts";
import type { Partition } from "./partition.ts";

/** Bounds of what is held in memory. */
export interface BackpressureBounds {
  /** Unsettled records of all partitions together; each has an equal share. */
  readonly records: number;
  /** Bytes of unsettled records of all partitions together. */
  readonly bytes: number;
}

/**
 * Records that wait to be dead-lettered do not count against the bounds of those that are well, or what is stuck would
 * stop what is not. They may take so many times the bytes, an equal share each partition, and stop only their own.
 */
const ASIDE_TIMES = 4;

/** Every partition may hold so many records, however many partitions there are. */
const SHARE_MIN = 50;

/**
 * Counts what is held. A bound stops the next fetch, never a record that was fetched: one that is larger than the
 * bound still gets through, alone.
 */
export class Backpressure<R> {
  readonly #bounds: BackpressureBounds;
  #share: number;
  #bytes = 0;
  #full = false;
  #asideShare: number;

  constructor(bounds: BackpressureBounds) {
    this.#bounds = bounds;
    this.#share = bounds.records;
    this.#asideShare = bounds.bytes * ASIDE_TIMES;
  }

  /** Whether all partitions are paused for their bytes. */
  get full(): boolean {
    return this.#full;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Partitions share the records evenly. */
  rebalanceShares(partitions: number): void {
    this.#share = Math.max(SHARE_MIN, Math.ceil(this.#bounds.records / Math.max(1, partitions)));
    this.#asideShare = this.#bounds.bytes * ASIDE_TIMES / Math.max(1, partitions);
  }

  /** A record came in. */
  add({ partition, bytes }: Delivery<R>): void {
    partition.bufferedBytes += bytes;
    this.#bytes += bytes;
  }

  /** A record waits to be dead-lettered. */
  setAside({ partition, bytes, attemptsCounted }: Delivery<R>): void {
    if (attemptsCounted === 0) partition.asideUncounted += 1;
    partition.bufferedBytes -= bytes;
    this.#bytes -= bytes;
    partition.asideRecords += 1;
    partition.asideBytes += bytes;
  }

  /** A record is settled. */
  remove({ partition, bytes, reason, attemptsCounted }: Delivery<R>): void {
    if (reason === undefined) {
      partition.bufferedBytes -= bytes;
      this.#bytes -= bytes;
      return;
    }
    if (attemptsCounted === 0) partition.asideUncounted -= 1;
    partition.asideRecords -= 1;
    partition.asideBytes -= bytes;
  }

  /** A partition is gone with what it held. */
  forget(partition: Partition<R>): void {
    this.#bytes -= partition.bufferedBytes;
    partition.bufferedBytes = 0;
  }

  /** Which partitions are to be paused or resumed now that `touched` changed; their `paused` says which. */
  regulate(touched: Partition<R>, all: Iterable<Partition<R>>): readonly Partition<R>[] {
    const wasFull = this.#full;
    this.#full = this.#bytes >= (wasFull ? this.#bounds.bytes / 2 : this.#bounds.bytes);
    const changed: Partition<R>[] = [];
    for (const partition of this.#full === wasFull ? [touched] : all) {
      const paused = this.#full || this.#isFull(partition);
      if (paused === partition.paused) continue;
      partition.paused = paused;
      changed.push(partition);
    }
    return changed;
  }

  #isFull({ ledger, paused, asideRecords, asideBytes }: Partition<R>): boolean {
    const low = paused ? 0.5 : 1;
    return ledger.unsettled - asideRecords >= this.#share * low || asideBytes >= this.#asideShare * low;
  }
}
