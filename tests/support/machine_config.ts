// The configuration of a delivery machine for tests and benchmarks: the defaults of production where a test says nothing else.

import type { MachineConfig } from "../../consumer/core/config.ts";

/** In `parallel` mode, with asynchronous commits. */
export const MACHINE_CONFIG: MachineConfig = {
  mode: "parallel",
  commits: "async",
  commitIntervalMs: 1000,
  batch: { size: 20, lingerMs: 1000 },
  idleExitMs: undefined,
  maxAttempts: 8,
  parkKeys: false,
  backoff: { firstMs: 200, maxMs: 30_000 },
  retryAfterMaxMs: 300_000,
  retryAgeMaxMs: 3_600_000,
  deadLetters: { burst: 20, share: 0.02 },
  bounds: { records: 10_000, bytes: 64 * 1024 * 1024 },
  metadataBytesMax: 4096,
  shutdownGraceMs: 30_000,
};
