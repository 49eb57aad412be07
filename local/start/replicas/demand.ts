// Asks the consumer and the ingress what there is to do: `GET /scale` of each.

import { z } from "zod";
import type { CallsToDo, RecordsToDo, ToDo } from "./autoscaler.ts";

/** What is asked for. */
export type Asked = Pick<ToDo, "records" | "calls">;

/** Patience with an answer, in ms: both are processes on this machine. */
const TIMEOUT_MS = 2000;

const records: z.ZodType<RecordsToDo> = z.object({
  backlog: z.number(),
  busyPermits: z.number(),
  wantedReplicas: z.number(),
});
const calls: z.ZodType<CallsToDo> = z.object({ waiting: z.number(), inFlight: z.number() });

/** Asks both at once; who does not answer is undefined. */
export async function readToDo(adminUrl: string, ingressUrl: string): Promise<Asked> {
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
