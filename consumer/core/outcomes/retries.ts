// Retries: how long a record that failed waits, and when it has failed often enough for a dead letter.

import type { Answer, Outcome } from "../../../shared/contract/outcome.ts";
import { ruleFor } from "../../../shared/contract/status_contract.ts";
import type { Delivery } from "../delivery.ts";
import type { Parts } from "../parts.ts";
import { backoffMs } from "../policies/backoff.ts";

/** A record that met full replicas twice in a row waits a random time up to this, in ms. */
const FULL_AGAIN_MAX_MS = 1000;

/** Records that are due are ready again. */
export function requeueDue<R>({ retries, ready }: Parts<R>, nowMs: number): void {
  for (let due = retries.takeDue(nowMs); due !== undefined; due = retries.takeDue(nowMs)) ready.requeue(due);
}

/**
 * The pool has rested the full replica or shrunk its limit, so a free permit is another replica's: the record goes to
 * it at once. When that one is full too, the record waits a little, so that nothing spins.
 *
 * @param before what the attempt before came to.
 */
export function retryElsewhere<R>(
  parts: Parts<R>,
  delivery: Delivery<R>,
  before: Outcome | undefined,
  nowMs: number,
): void {
  const again = before !== undefined && ruleFor(before).slows === "replica";
  const waitMs = again ? Math.max(1, Math.round(parts.random() * FULL_AGAIN_MAX_MS)) : 0;
  retry(parts, delivery, waitMs, false, nowMs);
}

/** Nothing speaks against the record: it is retried as the worker asked, or with backoff. */
export function retryUncounted<R>(parts: Parts<R>, delivery: Delivery<R>, nowMs: number): void {
  delivery.recordFailure();
  retry(parts, delivery, waitMsOf(parts, delivery), false, nowMs);
}

/**
 * The worker said "later". While others settle that is the record's own affair (another holds its ticket, its tenant has
 * no quota): it backs off alone, and when it was refused for long enough it begins to lose attempts.
 */
export function retryRefused<R>(parts: Parts<R>, delivery: Delivery<R>, nowMs: number): void {
  const othersSettle = parts.judge.lastSuccessMs >= (delivery.lastRefusedMs ?? Infinity);
  delivery.recordRefusal(nowMs);
  if (!othersSettle) return retryUncounted(parts, delivery, nowMs);
  const sinceMs = delivery.refusedSinceMs ?? nowMs;
  if (nowMs - sinceMs >= parts.config.retryAgeMaxMs) return retryCounted(parts, delivery, nowMs);
  delivery.recordFailure();
  const ownMs = backoffMs(parts.config.backoff, delivery.failures, parts.random);
  retry(parts, delivery, Math.max(ownMs, askedMs(parts, delivery) ?? 0), false, nowMs);
}

/** The breaker paces everything now; the record itself waits only where the worker asked for it. */
export function retryInOutage<R>(parts: Parts<R>, delivery: Delivery<R>, nowMs: number): void {
  retry(parts, delivery, askedMs(parts, delivery) ?? 0, false, nowMs);
}

/** The attempt counts against the record. */
export function retryCounted<R>(parts: Parts<R>, delivery: Delivery<R>, nowMs: number): void {
  const { maxAttempts } = parts.config;
  delivery.countAttempt(maxAttempts, nowMs);
  delivery.recordFailure();
  parts.commits.markDirty(delivery.partition, nowMs);
  if (delivery.attemptsCounted < maxAttempts) {
    return retry(parts, delivery, waitMsOf(parts, delivery), true, nowMs);
  }
  const missing = delivery.lastOutcome !== undefined &&
    ruleFor(delivery.lastOutcome).name === "ticket-not-found";
  parts.dispatcher.leaveBatch(delivery);
  parts.deadLetters.enqueue(delivery, missing ? "ticket-not-found" : "attempts-exhausted");
}

function retry<R>(
  { dispatcher, outbox, ready, retries }: Parts<R>,
  delivery: Delivery<R>,
  waitMs: number,
  counted: boolean,
  nowMs: number,
): void {
  outbox.push({ type: "notice", notice: { kind: "retrying", delivery, waitMs, counted } });
  if (waitMs === 0) return ready.requeue(delivery);
  if (delivery.hasFailed) dispatcher.leaveBatch(delivery);
  retries.add(delivery, nowMs + waitMs);
}

/** `Retry-After` where the worker gave one, else backoff. A `Retry-After` of 0 would spin, so it means backoff. */
function waitMsOf<R>(parts: Parts<R>, delivery: Delivery<R>): number {
  const asked = askedMs(parts, delivery) ?? 0;
  return asked > 0 ? asked : backoffMs(parts.config.backoff, delivery.failures, parts.random);
}

function askedMs<R>({ config }: Parts<R>, { lastOutcome }: Delivery<R>): number | undefined {
  const asked = (lastOutcome as Partial<Answer> | undefined)?.retryAfterMs;
  return asked === undefined ? undefined : Math.min(asked, config.retryAfterMaxMs);
}
