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

  constructor(bounds: BackpressureBounds) {
    this.#bounds = bounds;
    this.#share = bounds.records;
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
  }

  /** A record came in. */
  add({ partition, bytes }: Delivery<R>): void {
    partition.bufferedBytes += bytes;
    this.#bytes += bytes;
  }

  /** A record is settled. */
  remove({ partition, bytes }: Delivery<R>): void {
    partition.bufferedBytes -= bytes;
    this.#bytes -= bytes;
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

  #isFull({ ledger, paused }: Partition<R>): boolean {
    const records = paused ? this.#share / 2 : this.#share;
    return ledger.unsettled >= records;
  }
}
