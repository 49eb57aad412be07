// The machine: events go in, commands come out. It puts the parts together and touches nothing outside.

import type { Outcome } from "../../shared/outcome.ts";
import { type Rule, ruleFor } from "../../shared/status_contract.ts";
import { Commits } from "./commits.ts";
import { DeadLetters } from "./dead_letters.ts";
import type { Delivery } from "./delivery.ts";
import type { Command, Event } from "./events.ts";
import { Holdings } from "./holdings.ts";
import { Judging } from "./judging.ts";
import { Outbox } from "./outbox.ts";
import type { TopicPartition } from "./partition.ts";
import { type Policy, policyFor } from "./policy.ts";
import { Retrying } from "./retrying.ts";
import { Sending } from "./sending.ts";
import type { MachineConfig } from "./settings.ts";
import type { MachineView } from "./view.ts";

export type { MachineConfig } from "./settings.ts";
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
    this.#sending = new Sending(config, policy, this.#judging.breaker, commits, outbox);
    this.#deadLetters = new DeadLetters(config.deadLetters, random, nowMs);
    this.#retrying = new Retrying(config, random, this.#sending, this.#deadLetters, commits, outbox);
  }

  /** The parts that causes, metrics and the dashboard read. */
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
      stopping: this.#stopByMs !== undefined,
    };
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
        return this.#attemptFinished(event.delivery, event.outcome, nowMs);
      case "attempt_abandoned":
        return this.#attemptAbandoned(event.delivery, nowMs);
      case "dead_letter_written":
        return this.#deadLetterWritten(event.delivery, nowMs);
      case "dead_letter_failed":
        return this.#deadLetters.recordFailed(event.delivery, nowMs);
      case "commit_finished":
        for (const held of this.#commits.finished(event.id, event.ok, nowMs)) this.#sending.letGo(held);
        return;
      case "permits_changed":
        return this.#sending.setPermits(event.permits, nowMs);
      case "readiness_checked":
        return this.#readinessChecked(event.ready, nowMs);
      case "dead_letters_allowed":
        return this.#deadLetters.allow(event.count);
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
    for (let bad = this.#deadLetters.take(nowMs); bad !== undefined; bad = this.#deadLetters.take(nowMs)) {
      this.#outbox.emit({ type: "dead_letter", delivery: bad, reason: bad.reason ?? "rejected" });
    }
    if (this.#sending.betweenBatches) {
      // A whole batch is committed before the next one begins, which may have to wait for that.
      this.#commits.hurry(nowMs);
      this.#commitDue(nowMs);
    }
    if (this.#stopByMs === undefined) this.#sending.send(nowMs);
    this.#commitDue(nowMs);
    if ((this.#idleAtMs() ?? Infinity) <= nowMs) this.#tellIdle();
    if (this.#stopByMs !== undefined) this.#maybeStopped(this.#stopByMs, nowMs);
  }

  #giveUp(at: TopicPartition): void {
    const partition = this.#holdings.giveUp(at);
    if (partition === undefined) return;
    this.#commits.forget(partition).forEach((held) => this.#sending.letGo(held));
    partition.revoked = true;
    this.#sending.forget(partition);
  }

  #rebalancing(nowMs: number): void {
    this.#rebalances = true;
    this.#holdings.await();
    if (this.#policy.extent === "received") this.#holdings.touchAll(nowMs);
    this.#commitNow(nowMs);
  }

  #attemptFinished(delivery: Delivery<R>, outcome: Outcome, nowMs: number): void {
    const rule = ruleFor(outcome);
    const probe = this.#sending.takeProbe(delivery);
    if (probe) this.#judging.probeFinished(rule, outcome, nowMs);
    if (rule.disposition === "settle") {
      this.#judging.recordSuccess(nowMs);
      this.#deadLetters.recordSucceeded();
    }
    if (delivery.home.revoked) return this.#sending.stale(delivery);
    const before = delivery.last;
    delivery.last = outcome;
    if (rule.disposition === "settle") return this.#succeeded(delivery, nowMs);
    this.#sending.returnPermit(delivery);
    switch (rule.disposition) {
      case "dead_letter": {
        const asked = outcome.kind === "answer" && outcome.action !== undefined;
        return this.#deadLetters.add(delivery, asked ? "asked-by-worker" : "rejected");
      }
      case "pause":
        this.#judging.open("misconfigured", outcome, nowMs);
        return this.#sending.again(delivery);
      case "retry":
        if (rule.slows === "replica") return this.#retrying.elsewhere(delivery, before, nowMs);
        return this.#failed(delivery, rule, outcome, probe, nowMs);
      default:
        return rule.disposition satisfies never;
    }
  }

  #succeeded(delivery: Delivery<R>, nowMs: number): void {
    const held = this.#policy.holdUntilCommitted;
    if (!held) this.#sending.returnPermit(delivery);
    this.#settle(delivery, nowMs);
    if (held) this.#commits.hold(delivery);
    else this.#sending.release(delivery);
  }

  #settle(delivery: Delivery<R>, nowMs: number): void {
    this.#holdings.settle(delivery, nowMs);
    this.#sending.settled(delivery);
  }

  #failed(delivery: Delivery<R>, rule: Rule, outcome: Outcome, probe: boolean, nowMs: number): void {
    switch (rule.counts) {
      case "never":
        return this.#retrying.uncounted(delivery, nowMs);
      case "always":
        return this.#retrying.count(delivery, nowMs);
      case "verdict":
        return this.#judged(delivery, outcome, probe, nowMs);
      default:
        return rule.counts satisfies never;
    }
  }

  #judged(delivery: Delivery<R>, outcome: Outcome, probe: boolean, nowMs: number): void {
    const judgement = this.#judging.judge(delivery, outcome, probe, nowMs);
    switch (judgement) {
      case "counts":
        return this.#retrying.count(delivery, nowMs);
      case "spared":
        return this.#retrying.inOutage(delivery, nowMs);
      case "asked":
        return;
      default:
        return judgement satisfies never;
    }
  }

  #readinessChecked(ready: boolean, nowMs: number): void {
    for (const { delivery, counts } of this.#judging.answered(ready, nowMs)) {
      if (counts) this.#retrying.count(delivery, nowMs);
      else this.#retrying.inOutage(delivery, nowMs);
    }
  }

  #attemptAbandoned(delivery: Delivery<R>, nowMs: number): void {
    if (this.#sending.takeProbe(delivery)) this.#judging.breaker.probeLost(nowMs);
    if (delivery.home.revoked) return this.#sending.stale(delivery);
    this.#sending.returnPermit(delivery);
    this.#sending.again(delivery);
  }

  #deadLetterWritten(delivery: Delivery<R>, nowMs: number): void {
    this.#deadLetters.recordWritten();
    if (delivery.home.revoked) return;
    this.#settle(delivery, nowMs);
    this.#sending.release(delivery);
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
