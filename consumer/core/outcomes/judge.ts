// Whom a failed attempt speaks against: the health window, the breaker, and the question to the replicas' `/readyz`.

import type { Outcome } from "../../../shared/contract/outcome.ts";
import { type Rule, ruleFor } from "../../../shared/contract/status_contract.ts";
import { Breaker, type PauseCause } from "../policies/breaker.ts";
import type { Delivery } from "../delivery.ts";
import type { Outbox } from "../events.ts";
import { HealthWindow, type ReadinessQuestion } from "../policies/health_window.ts";

/**
 * After so long without a failure of a record that was never sent before, in ms, an outage that `/readyz` denies is
 * taken for what it then must be: nothing but bad records left. So nothing blocks for ever.
 */
export const SUSPECTS_ONLY_MS = 600_000;
/** An answer of `/readyz` that pauses nothing is not asked for again in this time, in ms. */
const ANSWER_HOLDS_MS = 1000;
/**
 * Pause between probes with new records while `/readyz` denies the outage, in ms: nothing but bad records may have come,
 * and a good one is to be found.
 */
const PROBE_DENIED_MS = 2000;

/**
 * So many records that are refused one after the other, and none that goes through, make a misconfiguration. Fewer may
 * be bad ones that came alone: then the replicas' `/readyz` decides.
 */
const REFUSED_MIN = 3;

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
  readonly question: ReadinessQuestion;
}

/** Judges failed attempts, and opens and closes the breaker. */
export class FailureJudge<R> {
  readonly #outbox: Outbox<R>;
  readonly #health = new HealthWindow();
  readonly breaker = new Breaker();
  #suspects: Suspect<R>[] = [];
  #asking = false;
  #freshFailedMs = -Infinity;
  #lastSuccessMs = -Infinity;
  #answer: { readonly ready: boolean; readonly atMs: number } = { ready: false, atMs: -Infinity };
  /** Records that were refused since anything went through; no more of them than are needed. */
  readonly #refused: Set<Delivery<R>> = new Set();
  /** Records that were refused while others went through: by being refused again they say nothing of the pool. */
  readonly #refusedAlone: WeakSet<Delivery<R>> = new WeakSet();

  constructor(outbox: Outbox<R>) {
    this.#outbox = outbox;
  }

  /** When a worker last settled a record, in ms. */
  get lastSuccessMs(): number {
    return this.#lastSuccessMs;
  }

  /** A worker settled a record. */
  recordSuccess({ hasFailed, sentMs }: Delivery<R>, nowMs: number): void {
    this.#lastSuccessMs = nowMs;
    for (const delivery of this.#refused) this.#refusedAlone.add(delivery);
    this.#refused.clear();
    if (hasFailed) return this.#health.recordRecovery();
    this.#health.recordSuccess(nowMs - (sentMs ?? nowMs), nowMs);
  }

  /** Pauses delivery. */
  open(cause: PauseCause, last: Outcome | undefined, nowMs: number): void {
    const before = this.breaker.pause?.cause;
    this.breaker.open(cause, last, nowMs);
    if (before !== cause) this.#outbox.push({ type: "notice", notice: { kind: "paused", cause, last } });
  }

  /**
   * The worker refuses the way it is called. Where other records go through, or no other is there, it is this record's own
   * affair (a tenant that is forbidden, say): it backs off and nobody else waits for it. Where others are refused as
   * well, or the replicas say that they are not ready, delivery pauses.
   */
  refused(delivery: Delivery<R>, outcome: Outcome, nowMs: number): Judgement {
    this.#recordFailure(delivery, nowMs);
    if (this.#refused.size < REFUSED_MIN && !this.#refusedAlone.has(delivery)) this.#refused.add(delivery);
    if (this.breaker.pause === undefined) {
      const many = this.#refused.size >= REFUSED_MIN || isInTheWay(delivery);
      const succeeds = this.#health.succeeds(nowMs);
      if (succeeds && !many) return "backs_off";
      // Others went through a moment ago, or nobody else is there: the replicas know whether all are refused now.
      if (succeeds || !many) return this.#ask(delivery, { counts: false, pauses: true }, nowMs);
    }
    this.open("misconfigured", outcome, nowMs);
    return "backs_off";
  }

  /** The replicas say that they are ready, and did not before: the next probe leaves now. */
  replicasReady(nowMs: number): void {
    this.breaker.probeNow(nowMs);
  }

  /** The probe came back. */
  probeFinished({ hasFailed }: Delivery<R>, rule: Rule, outcome: Outcome, nowMs: number): void {
    const pause = this.breaker.pause;
    if (pause === undefined) return;
    if (rule.slows === "replica") return this.breaker.probeInconclusive(nowMs);
    if (rule.disposition === "pause") return this.breaker.probeFailed("misconfigured", outcome, nowMs);
    // A failure says that the misconfiguration is gone; whether there is an outage now, the verdict finds out.
    if (rule.counts === "verdict" && pause.cause === "outage") {
      // Where most records are bad a probe fails by chance: then the pauses grow as much slower.
      this.breaker.probeFailed("outage", outcome, nowMs, 2 ** (1 / this.#health.triesPerSuccess));
      if (!hasFailed) this.#checkReadiness();
      return;
    }
    this.breaker.close();
    this.#refused.clear();
    this.#health.clear();
    this.#outbox.push({ type: "notice", notice: { kind: "resumed", pausedMs: nowMs - pause.sinceMs } });
  }

  /** An attempt failed that may be the record's fault or the pool's. */
  judge(delivery: Delivery<R>, outcome: Outcome, probe: boolean, nowMs: number): Judgement {
    if (delivery.attemptsSent === 1) this.#freshFailedMs = nowMs;
    this.#recordFailure(delivery, nowMs);
    const pause = this.breaker.pause;
    if (pause !== undefined) {
      const suspectsOnly = probe && nowMs - Math.max(pause.sinceMs, this.#freshFailedMs) > SUSPECTS_ONLY_MS;
      return suspectsOnly ? this.#ask(delivery, { counts: true, pauses: true }, nowMs) : "not_counted";
    }
    const verdict = this.#health.judge(delivery.lastCountedMs, nowMs);
    switch (verdict.kind) {
      case "poison":
        return speaksOf(outcome);
      case "outage":
        this.open("outage", outcome, nowMs);
        return "not_counted";
      case "unclear":
        return "backs_off";
      case "ask":
        return this.#ask(delivery, verdict.question, nowMs);
      default:
        return verdict satisfies never;
    }
  }

  /** What the replicas said: the records that were waiting for it, and what becomes of their attempts. */
  answered(ready: boolean, nowMs: number): readonly { delivery: Delivery<R>; judgement: Judgement }[] {
    this.#asking = false;
    const suspects = this.#suspects.filter(({ delivery }) => delivery.state === "judging");
    this.#suspects = [];
    this.#answer = { ready, atMs: nowMs };
    const pausing = suspects.find(({ question }) => question.pauses);
    if (!ready && pausing !== undefined) {
      const last = pausing.delivery.lastOutcome;
      this.open(isRefusal(last) ? "misconfigured" : "outage", last, nowMs);
    }
    if (ready && this.breaker.pause?.cause === "outage") this.breaker.probeWithin(PROBE_DENIED_MS, nowMs);
    return suspects.map((suspect) => ({
      delivery: suspect.delivery,
      judgement: this.#decide(suspect, ready),
    }));
  }

  /** Where delivery was paused only after the question, what paused it knows more than the answer. */
  #decide({ delivery, paused, question }: Suspect<R>, ready: boolean): Judgement {
    const pausedNow = this.breaker.pause !== undefined;
    if (ready && question.counts && (paused || !pausedNow)) return speaksOf(delivery.lastOutcome);
    return pausedNow ? "not_counted" : "backs_off";
  }

  /** Takes a failure down. A record that failed before says nothing of the pool by failing again. */
  #recordFailure(delivery: Delivery<R>, nowMs: number): void {
    if (!delivery.hasFailed) this.#health.recordFailure(nowMs);
    delivery.recordJudgedFailure();
  }

  #ask(delivery: Delivery<R>, question: ReadinessQuestion, nowMs: number): Judgement {
    const suspect = { delivery, paused: this.breaker.pause !== undefined, question };
    // An answer from before the record last lost an attempt would let it lose a second one to the same outage.
    const sinceMs = Math.max(nowMs - ANSWER_HOLDS_MS, delivery.lastCountedMs ?? -Infinity);
    if (!question.pauses && this.#answer.atMs > sinceMs) return this.#decide(suspect, this.#answer.ready);
    delivery.suspect();
    this.#suspects.push(suspect);
    this.#checkReadiness();
    return "undecided";
  }

  #checkReadiness(): void {
    if (!this.#asking) this.#outbox.push({ type: "check_readiness" });
    this.#asking = true;
  }
}

/** In a healthy pool a failure is the record's own, but for one: a refused connection never reached a worker. */
function speaksOf(outcome: Outcome | undefined): Judgement {
  return outcome?.kind === "refused" ? "backs_off" : "counts";
}

/** Whether the worker refused the way it is called. */
function isRefusal(outcome: Outcome | undefined): boolean {
  return outcome !== undefined && ruleFor(outcome).disposition === "pause";
}

/** Whether a record is refused again and others wait behind it: then they are not there to say whose fault it is. */
function isInTheWay<R>({ lane, failures, partition }: Delivery<R>): boolean {
  return lane !== undefined && failures >= REFUSED_MIN - 1 && partition.backlog() > 1;
}
