// What an attempt's outcome means for its record, by the status contract.

import type { Outcome } from "../../shared/contract/outcome.ts";
import { type Rule, ruleFor } from "../../shared/contract/status_contract.ts";
import type { Commits } from "./commits.ts";
import type { DeadLetters } from "./dead_letter_queue.ts";
import type { Delivery } from "./delivery.ts";
import type { Holdings } from "./assignment.ts";
import type { Judgement, Judging } from "./judge.ts";
import type { ParkedKeys } from "./parking_gate.ts";
import type { Policy } from "./policies/delivery_mode.ts";
import type { Retrying } from "./retries.ts";
import type { Sending } from "./dispatcher.ts";

/** What an outcome may set in motion. */
export interface AttemptParts<R> {
  readonly policy: Policy;
  readonly commits: Commits<R>;
  readonly holdings: Holdings<R>;
  readonly judging: Judging<R>;
  readonly sending: Sending<R>;
  readonly deadLetters: DeadLetters<R>;
  readonly retrying: Retrying<R>;
  readonly parkedKeys: ParkedKeys<R>;
}

/** Follows every attempt to its end. */
export class Attempts<R> {
  readonly #parts: AttemptParts<R>;

  constructor(parts: AttemptParts<R>) {
    this.#parts = parts;
  }

  /** An attempt came to something. */
  finished(delivery: Delivery<R>, outcome: Outcome, nowMs: number): void {
    const rule = ruleFor(outcome);
    const probe = this.#parts.sending.takeProbe(delivery);
    if (probe) this.#parts.judging.probeFinished(rule, outcome, nowMs);
    if (rule.disposition === "settle") {
      this.#parts.judging.recordSuccess(nowMs);
      this.#parts.deadLetters.recordSucceeded();
    }
    if (delivery.home.revoked) return this.#parts.sending.stale(delivery);
    const before = delivery.last;
    delivery.last = outcome;
    if (rule.disposition === "settle") return this.#succeeded(delivery, nowMs);
    this.#parts.sending.returnPermit(delivery);
    if (delivery.taken) return this.#parts.deadLetters.addFree(delivery, "operator");
    switch (rule.disposition) {
      case "dead_letter": {
        const asked = outcome.kind === "answer" && outcome.action !== undefined;
        return this.#parts.deadLetters.add(delivery, asked ? "asked-by-worker" : "rejected");
      }
      case "pause":
        this.#parts.judging.refused(delivery, outcome, nowMs);
        return this.#parts.retrying.uncounted(delivery, nowMs);
      case "retry":
        if (rule.slows === "replica") return this.#parts.retrying.elsewhere(delivery, before, nowMs);
        return this.#failed(delivery, rule, outcome, probe, nowMs);
      default:
        return rule.disposition satisfies never;
    }
  }

  #succeeded(delivery: Delivery<R>, nowMs: number): void {
    const held = this.#parts.policy.holdUntilCommitted;
    if (!held) this.#parts.sending.returnPermit(delivery);
    this.#settle(delivery, nowMs);
    if (held) this.#parts.commits.hold(delivery);
    else this.#parts.sending.release(delivery);
  }

  #settle(delivery: Delivery<R>, nowMs: number): void {
    this.#parts.holdings.settle(delivery, nowMs);
    this.#parts.sending.settled(delivery);
  }

  #failed(delivery: Delivery<R>, rule: Rule, outcome: Outcome, probe: boolean, nowMs: number): void {
    switch (rule.counts) {
      case "never":
        return this.#parts.retrying.uncounted(delivery, nowMs);
      case "always":
        return this.#parts.retrying.count(delivery, nowMs);
      case "verdict":
        return this.#judged(delivery, outcome, probe, nowMs);
      default:
        return rule.counts satisfies never;
    }
  }

  #judged(delivery: Delivery<R>, outcome: Outcome, probe: boolean, nowMs: number): void {
    this.#follow(delivery, this.#parts.judging.judge(delivery, outcome, probe, nowMs), nowMs);
  }

  #follow(delivery: Delivery<R>, judgement: Judgement, nowMs: number): void {
    switch (judgement) {
      case "counts":
        return this.#parts.retrying.count(delivery, nowMs);
      case "backs_off":
        return this.#parts.retrying.uncounted(delivery, nowMs);
      case "spared":
        return this.#parts.retrying.inOutage(delivery, nowMs);
      case "asked":
        return;
      default:
        return judgement satisfies never;
    }
  }

  /** The replicas' `/readyz` answered. */
  readinessChecked(ready: boolean, nowMs: number): void {
    for (const { delivery, judgement } of this.#parts.judging.answered(ready, nowMs)) {
      this.#follow(delivery, judgement, nowMs);
    }
  }

  /** An attempt was given up by ourselves; nothing is known of it. */
  abandoned(delivery: Delivery<R>, nowMs: number): void {
    if (this.#parts.sending.takeProbe(delivery)) this.#parts.judging.breaker.probeLost(nowMs);
    if (delivery.home.revoked) return this.#parts.sending.stale(delivery);
    this.#parts.sending.returnPermit(delivery);
    if (delivery.taken) return this.#parts.deadLetters.addFree(delivery, "operator");
    this.#parts.sending.again(delivery);
  }

  /** The broker confirmed a dead letter. */
  deadLetterWritten(delivery: Delivery<R>, offset: number | undefined, nowMs: number): void {
    this.#parts.deadLetters.recordWritten();
    if (delivery.home.revoked) return;
    this.#parts.parkedKeys.letterWritten(delivery, offset);
    this.#settle(delivery, nowMs);
    this.#parts.sending.release(delivery);
  }
}
