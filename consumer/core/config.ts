// MachineConfig: everything about delivery that can be set.

import type { BackoffConfig } from "./policies/backoff.ts";
import type { BatchConfig } from "./policies/batch_gate.ts";
import type { DeadLetterBudgetConfig } from "./policies/dead_letter_budget.ts";
import type { BackpressureBounds } from "./backpressure.ts";
import type { CommitMode, DeliveryMode } from "./policies/delivery_mode.ts";

/** Everything about delivery that can be set. Times in ms. */
export interface MachineConfig {
  readonly mode: DeliveryMode;
  readonly commits: CommitMode;
  readonly commitIntervalMs: number;
  readonly batch: BatchConfig;
  /** Ends by itself after so long without a record; undefined: never. */
  readonly idleExitMs: number | undefined;
  readonly maxAttempts: number;
  /** In `key` mode: later records of a dead-lettered key follow it (`PARK_KEYS`). */
  readonly parkKeys: boolean;
  readonly backoff: BackoffConfig;
  readonly retryAfterMaxMs: number;
  /** A record that is answered "later" for so long, while others settle, begins to lose attempts. */
  readonly retryAgeMaxMs: number;
  readonly deadLetters: DeadLetterBudgetConfig;
  readonly bounds: BackpressureBounds;
  /** Most bytes of a commit's metadata: how much the offset map may say bounds how far a partition runs ahead. */
  readonly metadataBytesMax: number;
  readonly shutdownGraceMs: number;
}
