// What the doctor looks at on this machine: its memory and its clock. Pure.

import { type Finding, Findings } from "./finding.ts";

/** A worker or consumer takes about 150 MB, start with its parts about 1 GB. */
const AVAILABLE_MIN_BYTES = 512 * 1024 * 1024;
/** Our own first release: a clock before that is not set. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
const MIB = 1024 * 1024;

/** What is read of this machine. */
export interface Machine {
  /** In bytes. */
  readonly memory: { readonly total: number; readonly available: number };
  /** In ms since the epoch. */
  readonly nowMs: number;
}

/** Memory and time as they are now. */
export function checkMachine({ memory: { total, available }, nowMs }: Machine): readonly Finding[] {
  const findings = new Findings();
  const text = `${Math.round(available / MIB)} of ${Math.round(total / MIB)} MiB are free`;
  if (available >= AVAILABLE_MIN_BYTES) findings.ok("memory", text);
  else {findings.warn(
      "memory",
      text,
      "A worker or consumer takes about 150 MiB, start about 1 GiB: end something",
    );}
  if (nowMs < EARLIEST_MS) {
    findings.fail(
      "clock",
      `it is ${new Date(nowMs).toISOString()} here`,
      "Set the clock: certificates and budgets go by it",
    );
  }
  return findings.all;
}
