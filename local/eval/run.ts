// One run over the tickets: several labelled at once, retried when asked to come back, each timed.

import type { JudgedTicket } from "./labelled_file.ts";
import type { LabelAttempt, Labeller } from "./labellers/labeller.ts";

/** What became of one ticket. */
export interface Verdict {
  readonly ticket: JudgedTicket;
  readonly end: Exclude<LabelAttempt, { kind: "wait" }>;
  /** Of the last call, waits not counted. */
  readonly ms: number;
}

/** Clock, waiting and progress. */
export interface RunPorts {
  readonly nowMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** A ticket that is asked to come back more often than this has failed. */
const CALLS_MAX = 6;
const WAIT_MAX_MS = 60_000;

/** Labels every ticket; the verdicts come in the tickets' order. After an abort those not begun are left out. */
export async function runEvaluation(
  tickets: readonly JudgedTicket[],
  labeller: Labeller,
  concurrency: number,
  ports: RunPorts,
): Promise<readonly Verdict[]> {
  const verdicts = new Map<number, Verdict>();
  const waiting = tickets.entries();
  const lane = async (): Promise<void> => {
    for (const [at, ticket] of waiting) {
      if (ports.signal.aborted) return;
      verdicts.set(at, await judge(ticket, labeller, ports));
      ports.onProgress(verdicts.size, tickets.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, tickets.length) }, lane));
  return [...verdicts].sort(([left], [right]) => left - right).map(([, verdict]) => verdict);
}

async function judge(ticket: JudgedTicket, { label }: Labeller, ports: RunPorts): Promise<Verdict> {
  for (let call = 1;; call++) {
    const startMs = ports.nowMs();
    const attempt = await label(ticket, ports.signal);
    const ms = ports.nowMs() - startMs;
    if (attempt.kind !== "wait") return { ticket, end: attempt, ms };
    if (call === CALLS_MAX || ports.signal.aborted) {
      return { ticket, end: { kind: "failed", reason: attempt.reason }, ms };
    }
    await ports.sleep(Math.min(attempt.waitMs, WAIT_MAX_MS), ports.signal);
  }
}
