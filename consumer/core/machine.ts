// Machine: events go in, commands come out. It touches nothing outside.

import type { MachineConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { Command, Event } from "./events.ts";
import { applyFlow, takeRecord } from "./operator.ts";
import {
  attemptAbandoned,
  attemptFinished,
  deadLetterWritten,
  readinessChecked,
} from "./outcomes/outcomes.ts";
import { applyLetters, intercepts } from "./parking/parking_gate.ts";
import { type Flow, FREE_FLOW } from "./policies/flow.ts";
import { createParts, type Parts } from "./parts.ts";
import type { TopicPartition } from "../records/position.ts";
import { requeueDue } from "./outcomes/retries.ts";
import { type MachineView, viewOf } from "./view.ts";

export type { MachineConfig } from "./config.ts";
export type { MachineView } from "./view.ts";

/** The delivery machine. Deterministic: the same events, times and random numbers give the same commands. */
export class Machine<R> {
  readonly #parts: Parts<R>;
  /** The group rebalances: until the next assignment any partition may be about to go. */
  #rebalances = false;
  #flow: Flow = FREE_FLOW;
  #idleReported = false;
  #stopByMs: number | undefined;
  #stopped = false;

  constructor(config: MachineConfig, random: () => number, nowMs: number) {
    this.#parts = createParts(config, random, nowMs);
  }

  /** The machine at this moment, for causes and metrics. */
  get view(): MachineView {
    return viewOf(this.#parts, { stopping: this.#stopByMs !== undefined, rebalancing: this.#rebalances });
  }

  /** The record of an offset; undefined where it is not held: not ours, not received yet, or settled. */
  find(at: TopicPartition, offset: number): Delivery<R> | undefined {
    return this.#parts.assignment.find(at)?.ledger.find(offset);
  }

  /** Takes one event in and answers with what is to be done, in order. */
  handle(event: Event<R>, nowMs: number): readonly Command<R>[] {
    this.#apply(event, nowMs);
    if (!this.#stopped) this.#advance(nowMs);
    return this.#parts.outbox.splice(0);
  }

  /** When a `tick` is due at the latest, in ms; undefined when only events can change anything. */
  wakeAtMs(nowMs: number): number | undefined {
    const { commits, deadLetters, dispatcher, policy, retries } = this.#parts;
    if (this.#stopped) return undefined;
    const least = Math.min(
      retries.nextMs ?? Infinity,
      commits.dueMs ?? Infinity,
      (deadLetters.busy ? deadLetters.nextMs(nowMs) : undefined) ?? Infinity,
      this.#stopByMs ?? (dispatcher.ratePerSecond === undefined ? undefined : dispatcher.rateAtMs(nowMs)) ??
        dispatcher.probeAtMs ?? Infinity,
      this.#stopByMs ?? (policy.batched ? dispatcher.lingerUntilMs(this.#mayBegin, nowMs) : undefined) ??
        Infinity,
      this.#idleAtMs() ?? Infinity,
    );
    return least === Infinity ? undefined : least;
  }

  #apply(event: Event<R>, nowMs: number): void {
    const parts = this.#parts;
    switch (event.type) {
      case "assigned":
        this.#rebalances = false;
        event.partitions.forEach((at) => this.#giveUp(at));
        parts.assignment.assign(event.epoch, event.partitions, nowMs);
        return applyFlow(parts, this.#flow, nowMs);
      case "revoked":
        event.partitions.forEach((at) => this.#giveUp(at));
        parts.assignment.expectAssignment();
        parts.assignment.rebalanceShares(nowMs);
        return applyFlow(parts, this.#flow, nowMs);
      case "rebalancing":
        return this.#rebalancing(nowMs);
      case "received":
        for (const delivery of parts.assignment.receive(event, nowMs)) {
          parts.dispatcher.enqueue(delivery, nowMs);
        }
        return;
      case "attempt_finished":
        return attemptFinished(parts, event.delivery, event.outcome, nowMs);
      case "attempt_abandoned":
        return attemptAbandoned(parts, event.delivery, nowMs);
      case "dead_letter_written":
        return deadLetterWritten(parts, event.delivery, event.offset, nowMs);
      case "dead_letter_failed":
        return parts.deadLetters.recordFailed(event.delivery, nowMs);
      case "letters_read": {
        const partition = parts.assignment.find(event.at);
        if (partition?.epoch === event.epoch) applyLetters(parts, partition, event.news);
        return;
      }
      case "commit_finished":
        for (const held of parts.commits.finished(event.id, event.ok, nowMs, event.refused)) {
          parts.dispatcher.releaseCommitted(held);
        }
        return;
      case "permits_changed":
        return parts.dispatcher.setPermits(event.permits, nowMs);
      case "flow_changed":
        this.#flow = event.flow;
        return applyFlow(parts, event.flow, nowMs);
      case "readiness_checked":
        return readinessChecked(parts, event.ready, nowMs);
      case "replicas_ready":
        return parts.judge.replicasReady(nowMs);
      case "dead_letters_allowed":
        return parts.deadLetters.allow(event.count);
      case "take_requested": {
        const delivery = this.find(event.at, event.offset);
        return delivery && takeRecord(delivery, parts.deadLetters);
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
    const { assignment, commits, deadLetters, dispatcher, retries } = this.#parts;
    if ((retries.nextMs ?? Infinity) <= nowMs) requeueDue(this.#parts, nowMs);
    if (dispatcher.betweenBatches) {
      // A whole batch is committed before the next one begins, which may have to wait for that.
      commits.flushSoon(nowMs);
      this.#commitDue(nowMs);
    }
    if (this.#stopByMs === undefined) this.#dispatch(nowMs);
    if (assignment.hasTouched) assignment.regulateTouched(nowMs);
    if (deadLetters.busy) this.#writeDeadLetters(nowMs);
    this.#commitDue(nowMs);
    if ((this.#idleAtMs() ?? Infinity) <= nowMs) this.#reportIdle();
    if (this.#stopByMs !== undefined) this.#maybeStopped(this.#stopByMs, nowMs);
  }

  #writeDeadLetters(nowMs: number): void {
    const { deadLetters, outbox } = this.#parts;
    for (let bad = deadLetters.nextToWrite(nowMs); bad !== undefined; bad = deadLetters.nextToWrite(nowMs)) {
      outbox.push({ type: "dead_letter", delivery: bad, reason: bad.reason ?? "rejected" });
    }
  }

  /** Sends what may be sent now. */
  #dispatch(nowMs: number): void {
    const { config, dispatcher } = this.#parts;
    while (dispatcher.mayHaveNext(nowMs)) {
      const next = dispatcher.next(this.#mayBegin, nowMs);
      if (next === undefined) return;
      // Only new records go aside, and where nobody parks or takes any there is nothing to ask.
      const asks = next.sentMs === undefined && (config.parkKeys || next.takenByOperator);
      if (!asks || !intercepts(this.#parts, next, nowMs)) dispatcher.start(next, nowMs);
    }
  }

  /** Whether a new batch may begin: in `sync` only when the last one's commit is confirmed. */
  get #mayBegin(): boolean {
    return !this.#parts.policy.batchAwaitsCommit || this.#parts.commits.allConfirmed;
  }

  #giveUp(at: TopicPartition): void {
    const { assignment, commits, deadLetters, dispatcher, retries } = this.#parts;
    const partition = assignment.giveUp(at);
    if (partition === undefined) return;
    commits.forget(partition).forEach((held) => dispatcher.releaseCommitted(held));
    partition.revoked = true;
    dispatcher.forget(partition);
    deadLetters.removeDropped();
    retries.removeDropped();
  }

  #rebalancing(nowMs: number): void {
    this.#rebalances = true;
    this.#parts.assignment.expectAssignment();
    if (this.#parts.policy.extent === "received") this.#parts.assignment.markAllDirty(nowMs);
    this.#commitNow(nowMs);
  }

  #commitDue(nowMs: number): void {
    if ((this.#parts.commits.dueMs ?? Infinity) <= nowMs) this.#commitNow(nowMs);
  }

  #commitNow(nowMs: number): void {
    const leaving = this.#rebalances || this.#stopByMs !== undefined;
    const commit = this.#parts.commits.nextCommit(leaving, nowMs);
    if (commit !== undefined) this.#parts.outbox.push({ type: "commit", commit });
  }

  #idleAtMs(): number | undefined {
    const { idleExitMs } = this.#parts.config;
    const { lastActivityMs } = this.#parts.assignment;
    if (idleExitMs === undefined || lastActivityMs === undefined) return undefined;
    if (this.#idleReported || this.#stopByMs !== undefined || !this.#parts.assignment.empty) return undefined;
    return lastActivityMs + idleExitMs;
  }

  #reportIdle(): void {
    this.#idleReported = true;
    this.#parts.outbox.push({ type: "idle" });
  }

  #stopRequested(nowMs: number): void {
    if (this.#stopByMs !== undefined) return;
    this.#stopByMs = nowMs + this.#parts.config.shutdownGraceMs;
    if (this.#parts.policy.extent === "received") this.#parts.assignment.markAllDirty(nowMs);
  }

  #maybeStopped(stopByMs: number, nowMs: number): void {
    const { commits, deadLetters, dispatcher, outbox } = this.#parts;
    const working = dispatcher.inFlight > 0 || deadLetters.writing > 0;
    const late = nowMs >= stopByMs;
    if (working && !late) return;
    commits.flushSoon(nowMs);
    this.#commitDue(nowMs);
    if (!commits.allConfirmed && !late) return;
    this.#stopped = true;
    outbox.push({ type: "stopped", clean: !working && commits.allConfirmed });
  }
}
