// What causes and metrics read of the machine; they change nothing of it.

import type { Breaker } from "./policies/breaker.ts";
import type { Commits } from "./commits.ts";
import type { DeadLetterQueue } from "./dead_letter_queue.ts";
import type { ParkedKey } from "./parking/letters.ts";
import type { Partition } from "./partition.ts";

/** The machine's parts, to look at. */
export interface MachineView<R> {
  readonly partitions: readonly Partition<R>[];
  readonly inFlight: number;
  readonly permits: number;
  /** Records that wait for their retry. */
  readonly waiting: number;
  readonly breaker: Breaker;
  readonly deadLetters: DeadLetterQueue<R>;
  readonly commits: Commits<R>;
  readonly aheadMax: number;
  /** Started records and settled runs that a partition's offset map has room for. */
  readonly entriesMax: number;
  readonly stopping: boolean;
}

/** The part of the view that has the parked keys. */
export interface ParkedView {
  readonly partitions: readonly { readonly id: string; readonly parking: { keys(): Iterable<ParkedKey> } }[];
}

/** The keys whose records these partitions hold back; what a retry topic's partition knows of them is left out. */
export function* parkedKeys({ partitions }: ParkedView): Generator<ParkedKey> {
  for (const { id, parking } of partitions) {
    for (const key of parking.keys()) if (key.at === id) yield key;
  }
}
