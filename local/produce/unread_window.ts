// The bytes that were sent and that the consumer group has not committed yet. Pure.

import type { Offsets } from "./topic_progress.ts";

interface Sent {
  readonly bytes: number;
  /** Ends of all partitions right after it was sent: once the group is there, it is past all of it. */
  readonly ends: Offsets;
}

/** Bounds what is sent ahead of a group, where the broker drops what it has no room for. */
export class UnreadWindow {
  readonly #bytesMax: number;
  #sent: Sent[] = [];

  /** @param bytesMax unread bytes allowed, over all partitions, as all of them may be in one. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes sent and not known to be committed. */
  get bytes(): number {
    return this.#sent.reduce((bytes, sent) => bytes + sent.bytes, 0);
  }

  /** Whether so many bytes more may be sent. What no window has room for may go when nothing else is unread. */
  fits(bytes: number): boolean {
    return this.#sent.length === 0 || this.bytes + bytes <= this.#bytesMax;
  }

  sent(bytes: number, ends: Offsets): void {
    this.#sent.push({ bytes, ends });
  }

  /** Takes in what the group has committed. */
  committed(offsets: Offsets): void {
    this.#sent = this.#sent.filter(({ ends }) => unread(ends, offsets) > 0n);
  }
}

/** Records between what is committed and the ends. */
export function unread(ends: Offsets, committed: Offsets): bigint {
  let records = 0n;
  for (const [partition, end] of ends) {
    const from = committed.get(partition) ?? -1n;
    const missing = end - (from < 0n ? 0n : from);
    if (missing > 0n) records += missing;
  }
  return records;
}
