// Demand for replicas: what `GET /scale` of the consumer and of the ingress say.

import { z } from "zod";

/** The consumer's `GET /scale`. */
export interface RecordDemand {
  /** Records received or waiting that are not settled. */
  readonly backlog: number;
  readonly busyPermits: number;
  /** Replicas that would clear the backlog in `TARGET_DRAIN_SECONDS`. */
  readonly wantedReplicas: number;
}

/** The ingress's `GET /scale`. */
export interface CallDemand {
  /** Ad-hoc calls that no replica has yet. */
  readonly waiting: number;
  readonly inFlight: number;
}

/** Work for replicas; undefined where nobody answered. */
export interface Demand {
  readonly records: RecordDemand | undefined;
  readonly calls: CallDemand | undefined;
  /** Whether a replica has done something since the last look: work may be too short to be seen in flight. */
  readonly worked: boolean;
}

/** Time limit of an answer, in ms: both are processes on this machine. */
const TIMEOUT_MS = 2000;

const records: z.ZodType<RecordDemand> = z.object({
  backlog: z.number(),
  busyPermits: z.number(),
  wantedReplicas: z.number(),
});
const calls: z.ZodType<CallDemand> = z.object({ waiting: z.number(), inFlight: z.number() });

/** Asks both at once. */
export async function readDemand(adminUrl: string, ingressUrl: string): Promise<Omit<Demand, "worked">> {
  const [forRecords, forCalls] = await Promise.all([
    ask(`${adminUrl}/scale`, records),
    ask(`${ingressUrl}/scale`, calls),
  ]);
  return { records: forRecords, calls: forCalls };
}

async function ask<T>(url: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json();
    return schema.safeParse(body).data;
  } catch {
    // It is starting, stopping, or busy for a moment.
    return undefined;
  }
}
