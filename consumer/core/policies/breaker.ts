// Breaker: while it is open, delivery is paused and one probe at a time leaves, with growing pauses between.

import type { Outcome } from "../../../shared/contract/outcome.ts";

/** Why delivery is paused. */
export type PauseCause = "outage" | "misconfigured";

/** Pauses between probes, in ms. */
export const PROBE_FIRST_MS = 500;
/** See {@link PROBE_FIRST_MS}. */
export const PROBE_MAX_MS = 15_000;

/** Delivery is paused. */
export interface Pause {
  readonly cause: PauseCause;
  readonly sinceMs: number;
  /** The last outcome that kept it open; undefined where `/readyz` alone said so. */
  readonly last: Outcome | undefined;
  readonly probeAtMs: number;
  readonly waitMs: number;
  /** A probe is on its way. */
  readonly probing: boolean;
}

/** Closed, or open with a probe now and then. Changed only by the methods below. */
export class Breaker {
  #pause: Pause | undefined;

  /** Why delivery is paused; undefined while it is not. */
  get pause(): Pause | undefined {
    return this.#pause;
  }

  /** When the next probe may leave, in ms; undefined while closed or while a probe is on its way. */
  get probeAtMs(): number | undefined {
    return this.#pause?.probing === false ? this.#pause.probeAtMs : undefined;
  }

  /** Opens, or notes what keeps it open. */
  open(cause: PauseCause, last: Outcome | undefined, nowMs: number): void {
    const before = this.#pause;
    this.#pause = before === undefined
      ? {
        cause,
        sinceMs: nowMs,
        last,
        probeAtMs: nowMs + PROBE_FIRST_MS,
        waitMs: PROBE_FIRST_MS,
        probing: false,
      }
      : { ...before, cause, last: last ?? before.last };
  }

  /** Things have changed for the better: the next probe may leave now. */
  probeNow(nowMs: number): void {
    if (this.#pause !== undefined) {
      this.#pause = { ...this.#pause, probeAtMs: nowMs, waitMs: PROBE_FIRST_MS };
    }
  }

  /** There is something better to probe with: the next probe leaves soon, at the shortest wait from now. */
  probeSooner(nowMs: number): void {
    const pause = this.#pause;
    if (pause === undefined || pause.probing) return;
    this.#pause = { ...pause, probeAtMs: Math.min(pause.probeAtMs, nowMs + PROBE_FIRST_MS) };
  }

  /** There may be no outage at all: the next probe leaves after this wait at the latest, in ms. */
  probeWithin(waitMs: number, nowMs: number): void {
    const pause = this.#pause;
    if (pause === undefined || pause.probing) return;
    const probeAtMs = Math.min(pause.probeAtMs, nowMs + waitMs);
    this.#pause = { ...pause, waitMs: Math.min(pause.waitMs, waitMs), probeAtMs };
  }

  /** The probe that is due has been sent. */
  probeSent(): void {
    if (this.#pause !== undefined) this.#pause = { ...this.#pause, probing: true };
  }

  /** The probe came back without an answer to the question: the next one after the same wait. */
  probeInconclusive(nowMs: number): void {
    const pause = this.#pause;
    if (pause !== undefined) this.#pause = { ...pause, probing: false, probeAtMs: nowMs + pause.waitMs };
  }

  /**
   * The probe failed: the next one after a longer wait. Its record waits for `Retry-After`, other probes do not.
   *
   * @param growth the wait, times this.
   */
  probeFailed(cause: PauseCause, last: Outcome, nowMs: number, growth = 2): void {
    const pause = this.#pause;
    if (pause === undefined) return;
    const waitMs = Math.min(PROBE_MAX_MS, Math.round(pause.waitMs * growth));
    this.#pause = { ...pause, cause, last, waitMs, probing: false, probeAtMs: nowMs + waitMs };
  }

  /** The probe came through. */
  close(): void {
    this.#pause = undefined;
  }
}
