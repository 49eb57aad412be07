// The machine: events go in, commands come out. It puts the parts together and touches nothing outside.

import { Attempts } from "./outcomes.ts";
import { Commits } from "./commits.ts";
import { DeadLetters } from "./dead_letter_queue.ts";
import type { Delivery } from "./delivery.ts";
import type { Command, Event } from "./events.ts";
import { Holdings } from "./assignment.ts";
import { Judging } from "./judge.ts";
import { Outbox } from "./outbox.ts";
import { ParkedKeys } from "./parking_gate.ts";
import type { TopicPartition } from "../records/position.ts";
import { type Policy, policyFor } from "./policies/delivery_mode.ts";
import { Retrying } from "./retries.ts";
import { Sending } from "./dispatcher.ts";
import type { MachineConfig } from "./config.ts";
import { takeOut } from "./operator.ts";
import type { MachineView } from "./view.ts";

export type { MachineConfig } from "./config.ts";
export type { MachineView } from "./view.ts";

/** The delivery machine. Deterministic: the same events, times and random numbers give the same commands. */
export class Machine<R> {
  readonly #config: MachineConfig;
  readonly #policy: Policy;
  readonly #outbox = new Outbox<R>();
  readonly #commits: Commits<R>;
  readonly #holdings: Holdings<R>;
  readonly #judging: Judging<R>;
  readonly #sending: Sending<R>;
  readonly #deadLetters: DeadLetters<R>;
  readonly #retrying: Retrying<R>;
  readonly #parkedKeys: ParkedKeys<R>;
  readonly #attempts: Attempts<R>;
  /** The group rebalances: until the next assignment any partition may be about to go. */
  #rebalances = false;
  #idleTold = false;
  #stopByMs: number | undefined;
  #stopped = false;

  constructor(config: MachineConfig, random: () => number, nowMs: number) {
    const outbox = this.#outbox;
    const policy = policyFor(config.mode, config.commits);
    const commits = new Commits<R>(policy, config.commitIntervalMs);
    this.#config = config;
    this.#policy = policy;
    this.#commits = commits;
    this.#holdings = new Holdings(policy, config.bounds, commits, outbox);
    this.#judging = new Judging(outbox);
    this.#deadLetters = new DeadLetters(config.deadLetters, random, nowMs);
    const divert = (delivery: Delivery<R>, nowMs: number) => this.#divert(delivery, nowMs);
    this.#sending = new Sending(config, policy, this.#judging.breaker, commits, outbox, divert);
    this.#retrying = new Retrying(config, random, this.#sending, this.#deadLetters, commits, outbox);
    this.#parkedKeys = new ParkedKeys(config.parkKeys, this.#holdings, this.#sending, this.#deadLetters);
    this.#attempts = new Attempts({
      policy,
      commits,
      holdings: this.#holdings,
      judging: this.#judging,
      sending: this.#sending,
      deadLetters: this.#deadLetters,
      retrying: this.#retrying,
      parkedKeys: this.#parkedKeys,
    });
  }

  /** The parts that causes and metrics read. */
  get view(): MachineView<R> {
    return {
      partitions: this.#holdings.partitions,
      inFlight: this.#sending.inFlight,
      permits: this.#sending.permits,
      waiting: this.#retrying.length,
      breaker: this.#judging.breaker,
      deadLetters: this.#deadLetters,
      commits: this.#commits,
      aheadMax: this.#config.bounds.aheadMax,
      entriesMax: this.#sending.entriesMax,
      stopping: this.#stopByMs !== undefined,
    };
  }

  /** The record of an offset; undefined where it is not held: not ours, not received yet, or settled. */
  find(at: TopicPartition, offset: number): Delivery<R> | undefined {
    return this.#holdings.find(at)?.ledger.find(offset);
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
      this.#retrying.nextMs ?? Infinity,
      this.#commits.dueMs ?? Infinity,
      this.#deadLetters.nextMs(nowMs) ?? Infinity,
      this.#stopByMs ?? this.#sending.probeAtMs ?? Infinity,
      this.#stopByMs ?? this.#sending.lingerUntilMs ?? Infinity,
      this.#idleAtMs() ?? Infinity,
    );
    return least === Infinity ? undefined : least;
  }

  #apply(event: Event<R>, nowMs: number): void {
    switch (event.type) {
      case "assigned":
        this.#rebalances = false;
        event.partitions.forEach((at) => this.#giveUp(at));
        return this.#holdings.assign(event.epoch, event.partitions, nowMs);
      case "revoked":
        event.partitions.forEach((at) => this.#giveUp(at));
        this.#holdings.await();
        return this.#holdings.share(nowMs);
      case "rebalancing":
        return this.#rebalancing(nowMs);
      case "received":
        for (const delivery of this.#holdings.receive(event, nowMs)) this.#sending.enqueue(delivery, nowMs);
        return;
      case "attempt_finished":
        return this.#attempts.finished(event.delivery, event.outcome, nowMs);
      case "attempt_abandoned":
        return this.#attempts.abandoned(event.delivery, nowMs);
      case "dead_letter_written":
        return this.#attempts.deadLetterWritten(event.delivery, event.offset, nowMs);
      case "dead_letter_failed":
        return this.#deadLetters.recordFailed(event.delivery, nowMs);
      case "letters_read": {
        const partition = this.#holdings.find(event.at);
        if (partition?.epoch === event.epoch) this.#parkedKeys.learn(partition, event.news);
        return;
      }
      case "commit_finished":
        for (const held of this.#commits.finished(event.id, event.ok, nowMs)) this.#sending.letGo(held);
        return;
      case "permits_changed":
        return this.#sending.setPermits(event.permits, nowMs);
      case "readiness_checked":
        return this.#attempts.readinessChecked(event.ready, nowMs);
      case "dead_letters_allowed":
        return this.#deadLetters.allow(event.count);
      case "take_requested": {
        const delivery = this.find(event.at, event.offset);
        return delivery && takeOut(delivery, this.#deadLetters);
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
    this.#retrying.wake(nowMs);
    if (this.#sending.betweenBatches) {
      // A whole batch is committed before the next one begins, which may have to wait for that.
      this.#commits.hurry(nowMs);
      this.#commitDue(nowMs);
    }
    if (this.#stopByMs === undefined) this.#sending.send(nowMs);
    for (let bad = this.#deadLetters.take(nowMs); bad !== undefined; bad = this.#deadLetters.take(nowMs)) {
      this.#outbox.emit({ type: "dead_letter", delivery: bad, reason: bad.reason ?? "rejected" });
    }
    this.#commitDue(nowMs);
    if ((this.#idleAtMs() ?? Infinity) <= nowMs) this.#tellIdle();
    if (this.#stopByMs !== undefined) this.#maybeStopped(this.#stopByMs, nowMs);
  }

  /** A new record's turn has come: it may be one that is not to be sent. */
  #divert(delivery: Delivery<R>, nowMs: number): boolean {
    if (delivery.taken) this.#deadLetters.addFree(delivery, "operator");
    return delivery.taken || this.#parkedKeys.diverts(delivery, nowMs);
  }

  #giveUp(at: TopicPartition): void {
    const partition = this.#holdings.giveUp(at);
    if (partition === undefined) return;
    this.#commits.forget(partition).forEach((held) => this.#sending.letGo(held));
    partition.revoked = true;
    this.#sending.forget(partition);
    this.#deadLetters.forgetDropped();
  }

  #rebalancing(nowMs: number): void {
    this.#rebalances = true;
    this.#holdings.await();
    if (this.#policy.extent === "received") this.#holdings.touchAll(nowMs);
    this.#commitNow(nowMs);
  }

  #commitDue(nowMs: number): void {
    if ((this.#commits.dueMs ?? Infinity) <= nowMs) this.#commitNow(nowMs);
  }

  #commitNow(nowMs: number): void {
    const leaving = this.#rebalances || this.#stopByMs !== undefined;
    const commit = this.#commits.take(leaving, nowMs);
    if (commit !== undefined) this.#outbox.emit({ type: "commit", commit });
  }

  #idleAtMs(): number | undefined {
    const { idleExitMs } = this.#config;
    const { newsMs } = this.#holdings;
    if (idleExitMs === undefined || newsMs === undefined) return undefined;
    if (this.#idleTold || this.#stopByMs !== undefined || !this.#holdings.empty) return undefined;
    return newsMs + idleExitMs;
  }

  #tellIdle(): void {
    this.#idleTold = true;
    this.#outbox.emit({ type: "idle" });
  }

  #stopRequested(nowMs: number): void {
    if (this.#stopByMs !== undefined) return;
    this.#stopByMs = nowMs + this.#config.shutdownGraceMs;
    if (this.#policy.extent === "received") this.#holdings.touchAll(nowMs);
  }

  #maybeStopped(stopByMs: number, nowMs: number): void {
    const working = this.#sending.inFlight > 0 || this.#deadLetters.writing > 0;
    const late = nowMs >= stopByMs;
    if (working && !late) return;
    this.#commits.hurry(nowMs);
    this.#commitDue(nowMs);
    if (!this.#commits.clean && !late) return;
    this.#stopped = true;
    this.#outbox.emit({ type: "stopped", clean: !working && this.#commits.clean });
  }
}
