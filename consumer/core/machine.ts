// The machine: events go in, commands come out. It puts the parts together and touches nothing outside.

import { OutcomeRules } from "./outcomes.ts";
import { Commits } from "./commits.ts";
import { DeadLetterQueue } from "./dead_letter_queue.ts";
import type { Delivery } from "./delivery.ts";
import type { Command, Event } from "./events.ts";
import { Assignment } from "./assignment.ts";
import { FailureJudge } from "./judge.ts";
import { Outbox } from "./outbox.ts";
import { ParkingGate } from "./parking_gate.ts";
import type { TopicPartition } from "../records/position.ts";
import { type DeliveryPolicy, policyFor } from "./policies/delivery_mode.ts";
import { RetrySchedule } from "./retries.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { MachineConfig } from "./config.ts";
import { takeRecord } from "./operator.ts";
import type { MachineView } from "./view.ts";

export type { MachineConfig } from "./config.ts";
export type { MachineView } from "./view.ts";

/** The delivery machine. Deterministic: the same events, times and random numbers give the same commands. */
export class Machine<R> {
  readonly #config: MachineConfig;
  readonly #policy: DeliveryPolicy;
  readonly #outbox = new Outbox<R>();
  readonly #commits: Commits<R>;
  readonly #assignment: Assignment<R>;
  readonly #judge: FailureJudge<R>;
  readonly #dispatcher: Dispatcher<R>;
  readonly #deadLetters: DeadLetterQueue<R>;
  readonly #retries: RetrySchedule<R>;
  readonly #parkingGate: ParkingGate<R>;
  readonly #outcomes: OutcomeRules<R>;
  /** The group rebalances: until the next assignment any partition may be about to go. */
  #rebalances = false;
  #idleReported = false;
  #stopByMs: number | undefined;
  #stopped = false;

  constructor(config: MachineConfig, random: () => number, nowMs: number) {
    const outbox = this.#outbox;
    const policy = policyFor(config.mode, config.commits);
    const commits = new Commits<R>(policy, config.commitIntervalMs);
    this.#config = config;
    this.#policy = policy;
    this.#commits = commits;
    this.#assignment = new Assignment(policy, config.bounds, commits, outbox);
    this.#judge = new FailureJudge(outbox);
    this.#deadLetters = new DeadLetterQueue(config.deadLetters, random, nowMs);
    const divert = (delivery: Delivery<R>, nowMs: number) => this.#intercept(delivery, nowMs);
    this.#dispatcher = new Dispatcher(config, policy, this.#judge.breaker, commits, outbox, divert);
    this.#retries = new RetrySchedule(config, random, this.#dispatcher, this.#deadLetters, commits, outbox);
    this.#parkingGate = new ParkingGate(
      config.parkKeys,
      this.#assignment,
      this.#dispatcher,
      this.#deadLetters,
    );
    this.#outcomes = new OutcomeRules({
      policy,
      commits,
      assignment: this.#assignment,
      judge: this.#judge,
      dispatcher: this.#dispatcher,
      deadLetters: this.#deadLetters,
      retries: this.#retries,
      parkingGate: this.#parkingGate,
    });
  }

  /** The parts that causes and metrics read. */
  get view(): MachineView<R> {
    return {
      partitions: this.#assignment.partitions,
      inFlight: this.#dispatcher.inFlight,
      permits: this.#dispatcher.permits,
      waiting: this.#retries.length,
      breaker: this.#judge.breaker,
      deadLetters: this.#deadLetters,
      commits: this.#commits,
      aheadMax: this.#config.bounds.aheadMax,
      entriesMax: this.#dispatcher.entriesMax,
      stopping: this.#stopByMs !== undefined,
    };
  }

  /** The record of an offset; undefined where it is not held: not ours, not received yet, or settled. */
  find(at: TopicPartition, offset: number): Delivery<R> | undefined {
    return this.#assignment.find(at)?.ledger.find(offset);
  }

  /** Takes one event in and answers with what is to be done, in order. */
  handle(event: Event<R>, nowMs: number): readonly Command<R>[] {
    this.#apply(event, nowMs);
    if (!this.#stopped) this.#advance(nowMs);
    return this.#outbox.take();
  }

  /** When a `tick` is due at the latest, in ms; undefined when only events can change anything. */
  wakeAtMs(nowMs: number): number | undefined {
    if (this.#stopped) return undefined;
    const least = Math.min(
      this.#retries.nextMs ?? Infinity,
      this.#commits.dueMs ?? Infinity,
      this.#deadLetters.nextMs(nowMs) ?? Infinity,
      this.#stopByMs ?? this.#dispatcher.probeAtMs ?? Infinity,
      this.#stopByMs ?? this.#dispatcher.lingerUntilMs ?? Infinity,
      this.#idleAtMs() ?? Infinity,
    );
    return least === Infinity ? undefined : least;
  }

  #apply(event: Event<R>, nowMs: number): void {
    switch (event.type) {
      case "assigned":
        this.#rebalances = false;
        event.partitions.forEach((at) => this.#giveUp(at));
        return this.#assignment.assign(event.epoch, event.partitions, nowMs);
      case "revoked":
        event.partitions.forEach((at) => this.#giveUp(at));
        this.#assignment.expectAssignment();
        return this.#assignment.rebalanceShares(nowMs);
      case "rebalancing":
        return this.#rebalancing(nowMs);
      case "received":
        for (const delivery of this.#assignment.receive(event, nowMs)) {
          this.#dispatcher.enqueue(delivery, nowMs);
        }
        return;
      case "attempt_finished":
        return this.#outcomes.finished(event.delivery, event.outcome, nowMs);
      case "attempt_abandoned":
        return this.#outcomes.abandoned(event.delivery, nowMs);
      case "dead_letter_written":
        return this.#outcomes.deadLetterWritten(event.delivery, event.offset, nowMs);
      case "dead_letter_failed":
        return this.#deadLetters.recordFailed(event.delivery, nowMs);
      case "letters_read": {
        const partition = this.#assignment.find(event.at);
        if (partition?.epoch === event.epoch) this.#parkingGate.apply(partition, event.news);
        return;
      }
      case "commit_finished":
        for (const held of this.#commits.finished(event.id, event.ok, nowMs)) {
          this.#dispatcher.releaseCommitted(held);
        }
        return;
      case "permits_changed":
        return this.#dispatcher.setPermits(event.permits, nowMs);
      case "readiness_checked":
        return this.#outcomes.readinessChecked(event.ready, nowMs);
      case "dead_letters_allowed":
        return this.#deadLetters.allow(event.count);
      case "take_requested": {
        const delivery = this.find(event.at, event.offset);
        return delivery && takeRecord(delivery, this.#deadLetters);
      }
      case "tick":
        return;
      case "stop_requested":
        return this.#stopRequested(nowMs);
      default:
        return event satisfies never;
    }
  }

  /** What follows from where we are now, whatever the event was. */
  #advance(nowMs: number): void {
    this.#retries.wake(nowMs);
    if (this.#dispatcher.betweenBatches) {
      // A whole batch is committed before the next one begins, which may have to wait for that.
      this.#commits.flushSoon(nowMs);
      this.#commitDue(nowMs);
    }
    if (this.#stopByMs === undefined) this.#dispatcher.send(nowMs);
    for (
      let bad = this.#deadLetters.nextToWrite(nowMs);
      bad !== undefined;
      bad = this.#deadLetters.nextToWrite(nowMs)
    ) {
      this.#outbox.emit({ type: "dead_letter", delivery: bad, reason: bad.reason ?? "rejected" });
    }
    this.#commitDue(nowMs);
    if ((this.#idleAtMs() ?? Infinity) <= nowMs) this.#reportIdle();
    if (this.#stopByMs !== undefined) this.#maybeStopped(this.#stopByMs, nowMs);
  }

  /** A new record's turn has come: it may be one that is not to be sent. */
  #intercept(delivery: Delivery<R>, nowMs: number): boolean {
    if (delivery.takenByOperator) this.#deadLetters.enqueueWithoutToken(delivery, "operator");
    return delivery.takenByOperator || this.#parkingGate.intercepts(delivery, nowMs);
  }

  #giveUp(at: TopicPartition): void {
    const partition = this.#assignment.giveUp(at);
    if (partition === undefined) return;
    this.#commits.forget(partition).forEach((held) => this.#dispatcher.releaseCommitted(held));
    partition.revoked = true;
    this.#dispatcher.forget(partition);
    this.#deadLetters.removeDropped();
  }

  #rebalancing(nowMs: number): void {
    this.#rebalances = true;
    this.#assignment.expectAssignment();
    if (this.#policy.extent === "received") this.#assignment.markAllDirty(nowMs);
    this.#commitNow(nowMs);
  }

  #commitDue(nowMs: number): void {
    if ((this.#commits.dueMs ?? Infinity) <= nowMs) this.#commitNow(nowMs);
  }

  #commitNow(nowMs: number): void {
    const leaving = this.#rebalances || this.#stopByMs !== undefined;
    const commit = this.#commits.nextCommit(leaving, nowMs);
    if (commit !== undefined) this.#outbox.emit({ type: "commit", commit });
  }

  #idleAtMs(): number | undefined {
    const { idleExitMs } = this.#config;
    const { lastActivityMs } = this.#assignment;
    if (idleExitMs === undefined || lastActivityMs === undefined) return undefined;
    if (this.#idleReported || this.#stopByMs !== undefined || !this.#assignment.empty) return undefined;
    return lastActivityMs + idleExitMs;
  }

  #reportIdle(): void {
    this.#idleReported = true;
    this.#outbox.emit({ type: "idle" });
  }

  #stopRequested(nowMs: number): void {
    if (this.#stopByMs !== undefined) return;
    this.#stopByMs = nowMs + this.#config.shutdownGraceMs;
    if (this.#policy.extent === "received") this.#assignment.markAllDirty(nowMs);
  }

  #maybeStopped(stopByMs: number, nowMs: number): void {
    const working = this.#dispatcher.inFlight > 0 || this.#deadLetters.writing > 0;
    const late = nowMs >= stopByMs;
    if (working && !late) return;
    this.#commits.flushSoon(nowMs);
    this.#commitDue(nowMs);
    if (!this.#commits.allConfirmed && !late) return;
    this.#stopped = true;
    this.#outbox.emit({ type: "stopped", clean: !working && this.#commits.allConfirmed });
  }
}
