// Outcomes: what an attempt's end means for its record, by the status contract.

import type { Outcome } from "../../../shared/contract/outcome.ts";
import { type Rule, ruleFor } from "../../../shared/contract/status_contract.ts";
import type { Delivery } from "../delivery.ts";
import type { Judgement } from "./judge.ts";
import { letterWritten } from "../parking/parking_gate.ts";
import type { Parts } from "../parts.ts";
import { retryCounted, retryElsewhere, retryInOutage, retryRefused, retryUncounted } from "./retries.ts";

/** An attempt came to something. */
export function attemptFinished<R>(
  parts: Parts<R>,
  delivery: Delivery<R>,
  outcome: Outcome,
  nowMs: number,
): void {
  const { judge, dispatcher, deadLetters } = parts;
  const rule = ruleFor(outcome);
  const probe = dispatcher.endProbe(delivery);
  if (probe) judge.probeFinished(delivery, rule, outcome, nowMs);
  if (rule.disposition === "settle") {
    judge.recordSuccess(delivery, nowMs);
    if (deadLetters.earns) deadLetters.recordSucceeded();
  }
  if (delivery.partition.revoked) return dispatcher.dropStale(delivery);
  const before = delivery.lastOutcome;
  delivery.recordOutcome(outcome);
  if (rule.disposition === "settle") return succeeded(parts, delivery, nowMs);
  dispatcher.returnPermit(delivery);
  if (delivery.takenByOperator) return deadLetters.enqueueWithoutToken(delivery, "operator");
  switch (rule.disposition) {
    case "dead_letter": {
      const asked = outcome.kind === "answer" && outcome.action !== undefined;
      dispatcher.leaveBatch(delivery);
      return deadLetters.enqueue(delivery, asked ? "asked-by-worker" : "rejected");
    }
    case "pause":
      return follow(parts, delivery, judge.refused(delivery, outcome, nowMs), nowMs);
    case "retry":
      if (rule.slows === "replica") return retryElsewhere(parts, delivery, before, nowMs);
      return failed(parts, delivery, rule, outcome, probe, nowMs);
    default:
      return rule.disposition satisfies never;
  }
}

/** We gave an attempt up; nothing is known of its outcome. */
export function attemptAbandoned<R>(parts: Parts<R>, delivery: Delivery<R>, nowMs: number): void {
  const { judge, dispatcher, deadLetters, ready } = parts;
  if (dispatcher.endProbe(delivery)) judge.breaker.probeInconclusive(nowMs);
  if (delivery.partition.revoked) return dispatcher.dropStale(delivery);
  dispatcher.returnPermit(delivery);
  if (delivery.takenByOperator) return deadLetters.enqueueWithoutToken(delivery, "operator");
  ready.requeue(delivery);
}

/** The replicas' `/readyz` answered. */
export function readinessChecked<R>(parts: Parts<R>, ready: boolean, nowMs: number): void {
  for (const { delivery, judgement } of parts.judge.answered(ready, nowMs)) {
    follow(parts, delivery, judgement, nowMs);
  }
}

/** The broker confirmed a dead letter. */
export function deadLetterWritten<R>(
  parts: Parts<R>,
  delivery: Delivery<R>,
  offset: number | undefined,
  nowMs: number,
): void {
  parts.deadLetters.recordWritten();
  if (delivery.partition.revoked) return;
  letterWritten(parts, delivery, offset);
  settle(parts, delivery, nowMs);
  parts.ready.release(delivery);
}

function succeeded<R>(parts: Parts<R>, delivery: Delivery<R>, nowMs: number): void {
  const held = parts.policy.holdUntilCommitted;
  if (!held) parts.dispatcher.returnPermit(delivery);
  settle(parts, delivery, nowMs);
  if (held) parts.commits.holdUntilCommitted(delivery);
  else parts.ready.release(delivery);
}

function settle<R>({ assignment, dispatcher }: Parts<R>, delivery: Delivery<R>, nowMs: number): void {
  assignment.settle(delivery, nowMs);
  dispatcher.settled(delivery);
}

function failed<R>(
  parts: Parts<R>,
  delivery: Delivery<R>,
  rule: Rule,
  outcome: Outcome,
  probe: boolean,
  nowMs: number,
): void {
  switch (rule.counts) {
    case "never":
      return retryRefused(parts, delivery, nowMs);
    case "always":
      return retryCounted(parts, delivery, nowMs);
    case "verdict":
      return follow(parts, delivery, parts.judge.judge(delivery, outcome, probe, nowMs), nowMs);
    default:
      return rule.counts satisfies never;
  }
}

function follow<R>(parts: Parts<R>, delivery: Delivery<R>, judgement: Judgement, nowMs: number): void {
  switch (judgement) {
    case "counts":
      return retryCounted(parts, delivery, nowMs);
    case "backs_off":
      return retryUncounted(parts, delivery, nowMs);
    case "not_counted":
      return retryInOutage(parts, delivery, nowMs);
    case "undecided":
      return;
    default:
      return judgement satisfies never;
  }
}
