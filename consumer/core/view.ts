// What causes and metrics read of the machine; they change nothing of it.

import type { Breaker } from "./policies/breaker.ts";
import type { Commits } from "./commits.ts";
import type { DeadLetterQueue } from "./dead_letter_queue.ts";
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
