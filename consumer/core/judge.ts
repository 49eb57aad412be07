// Whom a failed attempt speaks against: the health window, the breaker, and the question to the replicas' `/readyz`.

import type { Outcome } from "../../shared/contract/outcome.ts";
import type { Rule } from "../../shared/contract/status_contract.ts";
import { Breaker, type PauseCause } from "./policies/breaker.ts";
import type { Delivery } from "./delivery.ts";
import type { Outbox } from "./outbox.ts";
import { HealthWindow } from "./policies/health_window.ts";

/**
 * After so long without a failure of a record that was never sent before, in ms, an outage that `/readyz` denies is
 * taken for what it then must be: nothing but bad records left. So nothing blocks for ever.
 */
export const SUSPECTS_ONLY_MS = 600_000;

/**
 * The attempt counts; or it does not, and the record backs off; or it does not, and the breaker paces everything; or the
 * replicas were asked and their answer decides.
 */
export type Judgement = "counts" | "backs_off" | "not_counted" | "undecided";

/** A record whose attempt the replicas' `/readyz` decides on. */
interface Suspect<R> {
  readonly delivery: Delivery<R>;
  /** Delivery was paused already when it was asked. */
  readonly paused: boolean;
}

/** Judges failed attempts, and opens and closes the breaker. */
export class FailureJudge<R> {
  readonly #outbox: Outbox<R>;
  readonly #health = new HealthWindow();
  readonly breaker = new Breaker();
  #suspects: Suspect<R>[] = [];
  #asking = false;
  #freshFailedMs = -Infinity;

  constructor(outbox: Outbox<R>) {
    this.#outbox = outbox;
  }

  /** A worker settled a record. */
  recordSuccess(nowMs: number): void {
    this.#health.recordSuccess(nowMs);
  }

  /** Pauses delivery. */
  open(cause: PauseCause, last: Outcome | undefined, nowMs: number): void {
    const before = this.breaker.pause?.cause;
    this.breaker.open(cause, last, nowMs);
    if (before !== cause) this.#outbox.notice({ kind: "paused", cause, last });
  }

  /**
   * The worker refuses the way it is called. Where other records go through it is this record's own affair (a tenant
   * that is forbidden, say): it backs off and nobody else waits for it. Otherwise delivery pauses.
   */
  refused(delivery: Delivery<R>, outcome: Outcome, nowMs: number): void {
    const previousMs = this.#recordFailure(delivery, nowMs);
    const alone = this.breaker.pause === undefined &&
      this.#health.judge(delivery, previousMs, nowMs) === "poison";
    if (!alone) this.open("misconfigured", outcome, nowMs);
  }

  /** The probe came back. */
  probeFinished(rule: Rule, outcome: Outcome, nowMs: number): void {
    const pause = this.breaker.pause;
    if (pause === undefined) return;
    if (rule.slows === "replica") return this.breaker.probeInconclusive(nowMs);
    if (rule.disposition === "pause") return this.breaker.probeFailed("misconfigured", outcome, nowMs);
    // A failure says that the misconfiguration is gone; whether there is an outage now, the verdict finds out.
    if (rule.counts === "verdict" && pause.cause === "outage") {
      return this.breaker.probeFailed("outage", outcome, nowMs);
    }
    this.breaker.close();
    this.#health.clear();
    this.#outbox.notice({ kind: "resumed", pausedMs: nowMs - pause.sinceMs });
  }

  /** An attempt failed that may be the record's fault or the pool's. */
  judge(delivery: Delivery<R>, outcome: Outcome, probe: boolean, nowMs: number): Judgement {
    if (delivery.attemptsSent === 1) this.#freshFailedMs = nowMs;
    const previousMs = this.#recordFailure(delivery, nowMs);
    const pause = this.breaker.pause;
    if (pause !== undefined) {
      const suspectsOnly = probe && nowMs - Math.max(pause.sinceMs, this.#freshFailedMs) > SUSPECTS_ONLY_MS;
      return suspectsOnly ? this.#ask(delivery) : "not_counted";
    }
    const verdict = this.#health.judge(delivery, previousMs, nowMs);
    switch (verdict) {
      case "poison":
        return speaksOf(outcome);
      case "outage":
        this.open("outage", outcome, nowMs);
        return "not_counted";
      case "ask":
        return this.#ask(delivery);
      default:
        return verdict satisfies never;
    }
  }

  /** What the replicas said: the records that were waiting for it, and what becomes of their attempts. */
  answered(ready: boolean, nowMs: number): readonly { delivery: Delivery<R>; judgement: Judgement }[] {
    this.#asking = false;
    const suspects = this.#suspects.filter(({ delivery }) => delivery.state === "judging");
    this.#suspects = [];
    if (!ready && suspects[0] !== undefined) this.open("outage", suspects[0].delivery.lastOutcome, nowMs);
    const pausedNow = this.breaker.pause !== undefined;
    // Where delivery was paused only after the question, what paused it knows more than the answer.
    return suspects.map(({ delivery, paused }) => {
      const well = ready && (paused || !pausedNow);
      return { delivery, judgement: well ? speaksOf(delivery.lastOutcome) : "not_counted" };
    });
  }

  /** Takes a failure down, and says when the record had failed before, in ms. */
  #recordFailure(delivery: Delivery<R>, nowMs: number): Delivery<R>["lastFailedMs"] {
    this.#health.recordFailure(delivery, nowMs);
    const previousMs = delivery.lastFailedMs;
    delivery.recordJudgedFailure(nowMs);
    return previousMs;
  }

  #ask(delivery: Delivery<R>): Judgement {
    delivery.suspect();
    this.#suspects.push({ delivery, paused: this.breaker.pause !== undefined });
    if (!this.#asking) this.#outbox.emit({ type: "check_readiness" });
    this.#asking = true;
    return "undecided";
  }
}

/** In a healthy pool a failure is the record's own, but for one: a refused connection never reached a worker. */
function speaksOf(outcome: Outcome | undefined): Judgement {
  return outcome?.kind === "refused" ? "backs_off" : "counts";
}
