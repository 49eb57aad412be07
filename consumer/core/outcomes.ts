// What an attempt's outcome means for its record, by the status contract.

import type { Outcome } from "../../shared/contract/outcome.ts";
import { type Rule, ruleFor } from "../../shared/contract/status_contract.ts";
import type { Commits } from "./commits.ts";
import type { DeadLetterQueue } from "./dead_letter_queue.ts";
import type { Delivery } from "./delivery.ts";
import type { Assignment } from "./assignment.ts";
import type { FailureJudge, Judgement } from "./judge.ts";
import type { ParkingGate } from "./parking_gate.ts";
import type { DeliveryPolicy } from "./policies/delivery_mode.ts";
import type { RetrySchedule } from "./retries.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** What an outcome may set in motion. */
export interface AttemptParts<R> {
  readonly policy: DeliveryPolicy;
  readonly commits: Commits<R>;
  readonly assignment: Assignment<R>;
  readonly judge: FailureJudge<R>;
  readonly dispatcher: Dispatcher<R>;
  readonly deadLetters: DeadLetterQueue<R>;
  readonly retries: RetrySchedule<R>;
  readonly parkingGate: ParkingGate<R>;
}

/** Follows every attempt to its end. */
export class OutcomeRules<R> {
  readonly #parts: AttemptParts<R>;

  constructor(parts: AttemptParts<R>) {
    this.#parts = parts;
  }

  /** An attempt came to something. */
  finished(delivery: Delivery<R>, outcome: Outcome, nowMs: number): void {
    const rule = ruleFor(outcome);
    const probe = this.#parts.dispatcher.endProbe(delivery);
    if (probe) this.#parts.judge.probeFinished(rule, outcome, nowMs);
    if (rule.disposition === "settle") {
      this.#parts.judge.recordSuccess(nowMs);
      this.#parts.deadLetters.recordSucceeded();
    }
    if (delivery.partition.revoked) return this.#parts.dispatcher.dropStale(delivery);
    const before = delivery.lastOutcome;
    delivery.recordOutcome(outcome);
    if (rule.disposition === "settle") return this.#succeeded(delivery, nowMs);
    this.#parts.dispatcher.returnPermit(delivery);
    if (delivery.takenByOperator) return this.#parts.deadLetters.enqueueWithoutToken(delivery, "operator");
    switch (rule.disposition) {
      case "dead_letter": {
        const asked = outcome.kind === "answer" && outcome.action !== undefined;
        return this.#parts.deadLetters.enqueue(delivery, asked ? "asked-by-worker" : "rejected");
      }
      case "pause":
        this.#parts.judge.refused(delivery, outcome, nowMs);
        return this.#parts.retries.uncounted(delivery, nowMs);
      case "retry":
        if (rule.slows === "replica") return this.#parts.retries.elsewhere(delivery, before, nowMs);
        return this.#failed(delivery, rule, outcome, probe, nowMs);
      default:
        return rule.disposition satisfies never;
    }
  }

  #succeeded(delivery: Delivery<R>, nowMs: number): void {
    const held = this.#parts.policy.holdUntilCommitted;
    if (!held) this.#parts.dispatcher.returnPermit(delivery);
    this.#settle(delivery, nowMs);
    if (held) this.#parts.commits.holdUntilCommitted(delivery);
    else this.#parts.dispatcher.release(delivery);
  }

  #settle(delivery: Delivery<R>, nowMs: number): void {
    this.#parts.assignment.settle(delivery, nowMs);
    this.#parts.dispatcher.settled(delivery);
  }

  #failed(delivery: Delivery<R>, rule: Rule, outcome: Outcome, probe: boolean, nowMs: number): void {
    switch (rule.counts) {
      case "never":
        return this.#parts.retries.uncounted(delivery, nowMs);
      case "always":
        return this.#parts.retries.count(delivery, nowMs);
      case "verdict":
        return this.#judged(delivery, outcome, probe, nowMs);
      default:
        return rule.counts satisfies never;
    }
  }

  #judged(delivery: Delivery<R>, outcome: Outcome, probe: boolean, nowMs: number): void {
    this.#follow(delivery, this.#parts.judge.judge(delivery, outcome, probe, nowMs), nowMs);
  }

  #follow(delivery: Delivery<R>, judgement: Judgement, nowMs: number): void {
    switch (judgement) {
      case "counts":
        return this.#parts.retries.count(delivery, nowMs);
      case "backs_off":
        return this.#parts.retries.uncounted(delivery, nowMs);
      case "not_counted":
        return this.#parts.retries.inOutage(delivery, nowMs);
      case "undecided":
        return;
      default:
        return judgement satisfies never;
    }
  }

  /** The replicas' `/readyz` answered. */
  readinessChecked(ready: boolean, nowMs: number): void {
    for (const { delivery, judgement } of this.#parts.judge.answered(ready, nowMs)) {
      this.#follow(delivery, judgement, nowMs);
    }
  }

  /** An attempt was given up by ourselves; nothing is known of it. */
  abandoned(delivery: Delivery<R>, nowMs: number): void {
    if (this.#parts.dispatcher.endProbe(delivery)) this.#parts.judge.breaker.probeInconclusive(nowMs);
    if (delivery.partition.revoked) return this.#parts.dispatcher.dropStale(delivery);
    this.#parts.dispatcher.returnPermit(delivery);
    if (delivery.takenByOperator) return this.#parts.deadLetters.enqueueWithoutToken(delivery, "operator");
    this.#parts.dispatcher.requeue(delivery);
  }

  /** The broker confirmed a dead letter. */
  deadLetterWritten(delivery: Delivery<R>, offset: number | undefined, nowMs: number): void {
    this.#parts.deadLetters.recordWritten();
    if (delivery.partition.revoked) return;
    this.#parts.parkingGate.letterWritten(delivery, offset);
    this.#settle(delivery, nowMs);
    this.#parts.dispatcher.release(delivery);
  }
}
