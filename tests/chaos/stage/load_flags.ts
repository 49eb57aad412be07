// The flags that say under what load a campaign runs on a whole deployment.

import type { Flags } from "./flags.ts";

/** Their names and defaults. */
export const LOAD_FLAGS = {
  partitions: "8",
  replicas: "2",
  concurrency: "8",
  "latency-ms": "200",
} as const;

/** Their lines of the usage. */
export const LOAD_USAGE = `  --partitions 8
  --replicas 2                worker processes
  --concurrency 8             permits a replica
  --latency-ms 200            median latency of the stub LLM, which has a heavy tail
`;

/** The load as the flags have it. */
export function loadOf(flags: Flags<keyof typeof LOAD_FLAGS>) {
  return {
    partitions: flags.whole("partitions"),
    replicas: flags.whole("replicas"),
    concurrency: flags.whole("concurrency"),
    latencyMs: flags.whole("latency-ms"),
  };
}
