// DeliveryLog: what is counted and logged of each decision about a record.

import { monotonicMs } from "../shared/clock.ts";
import { logger } from "../shared/log.ts";
import { type Outcome, outcomeLabel, problemText } from "../shared/contract/outcome.ts";
import type { PartitionCommit } from "./core/commits.ts";
import type { Delivery } from "./core/delivery.ts";
import type { Notice } from "./core/events.ts";
import type { TakeEffect } from "./core/operator.ts";
import { DecisionFeed } from "./decision_feed.ts";
import type { Decision } from "./records/decision.ts";
import type { ConsumerMetrics } from "./metrics/consumer_metrics.ts";
import type { KafkaRecord } from "./records/record.ts";

const log = logger("consumer");

/** Writes the log and the counters of one consumer. */
export class DeliveryLog {
  readonly #metrics: ConsumerMetrics;
  readonly #feed: DecisionFeed;
  #settled = 0;

  constructor(metrics: ConsumerMetrics, feed: DecisionFeed = new DecisionFeed()) {
    this.#metrics = metrics;
    this.#feed = feed;
  }

  /** Records settled, dead letters included. */
  get settled(): number {
    return this.#settled;
  }

  recordTaken(delivery: Delivery<KafkaRecord>, effect: TakeEffect): void {
    log.warn("taken out by an operator", { ...placeOf(delivery), effect });
  }

  attemptFinished(outcome: Outcome, tookMs: number): void {
    this.#metrics.attempts.inc({ outcome: outcomeLabel(outcome) });
    this.#metrics.attemptSeconds.observe(tookMs / 1000);
  }

  commitConfirmed(marks: readonly PartitionCommit<KafkaRecord>[]): void {
    this.#metrics.commits.inc({ result: "confirmed" });
    log.debug("committed", () => ({
      offsets: marks.map(({ partition, mark }) => `${partition.id}@${mark.offset}`),
    }));
  }

  commitRefused(error: unknown): void {
    this.#metrics.commits.inc({ result: "refused" });
    log.info("commit refused", { error: String(error) });
  }

  deadLetterWritten(delivery: Delivery<KafkaRecord>): void {
    const { reason, parkedBehind, lastOutcome } = delivery;
    this.#publish("dead-lettered", delivery, reason ?? null);
    this.#metrics.deadLetters.inc({ reason: reason ?? "" });
    if (reason === "parked") log.info("parked", { ...placeOf(delivery), behind: parkedBehind?.place });
    else log.warn("dead-lettered", { ...placeOf(delivery), reason, last: labelOf(lastOutcome) });
  }

  deadLetterFailed(delivery: Delivery<KafkaRecord>, error: unknown): void {
    log.warn("dead letter not written", { ...placeOf(delivery), error: String(error) });
  }

  idle(): void {
    log.info("idle");
  }

  notice(notice: Notice<KafkaRecord>): void {
    switch (notice.kind) {
      case "settled":
        this.#settled += 1;
        this.#metrics.settled.inc();
        // Dead letters are settled, too, and were told when they were written.
        if (notice.delivery.reason === undefined) this.#publish("settled", notice.delivery, null);
        return log.debug("settled", () => placeOf(notice.delivery));
      case "retrying":
        return this.#retrying(notice);
      case "paused":
        return log.info("paused", { cause: notice.cause, last: labelOf(notice.last) });
      case "resumed":
        return log.info("resumed", { pausedMs: Math.round(notice.pausedMs) });
      case "stale":
        return log.info("dropped: its partition was given up meanwhile", placeOf(notice.delivery));
      case "map_untrusted":
        return log.warn("commit metadata ignored", { ...notice.at, why: notice.why });
      default:
        return notice satisfies never;
    }
  }

  #retrying({ delivery, waitMs, counted }: Extract<Notice<KafkaRecord>, { kind: "retrying" }>): void {
    this.#metrics.retries.inc({ counted: String(counted) });
    this.#publish("retrying", delivery, `${counted ? "counted" : "not counted"}, again in ${waitMs} ms`);
    const { lastOutcome, attemptsCounted: attempts } = delivery;
    log.info("retrying", { ...placeOf(delivery), last: labelOf(lastOutcome), waitMs, counted, attempts });
  }

  /** For those who watch live; nobody does most of the time. */
  #publish(kind: Decision["kind"], delivery: Delivery<KafkaRecord>, why: string | null): void {
    if (!this.#feed.watched) return;
    const { record: { topic, partition, offset }, attemptsSent: attempt, lastOutcome } = delivery;
    this.#feed.publish({
      at: new Date(monotonicMs()).toISOString(),
      kind,
      topic,
      partition,
      offset,
      attempt,
      last: labelOf(lastOutcome) ?? null,
      said: lastOutcome === undefined ? null : problemText(lastOutcome) ?? null,
      why,
    });
  }
}

function labelOf(outcome: Outcome | undefined): string | undefined {
  return outcome && outcomeLabel(outcome);
}

function placeOf({ record, attemptsSent }: Delivery<KafkaRecord>): Record<string, unknown> {
  return { topic: record.topic, partition: record.partition, offset: record.offset, attempt: attemptsSent };
}
