// The machine: events go in, commands come out. It decides everything about delivery and touches nothing.

import type { Answer, Outcome } from "../../shared/outcome.ts";
import { type Rule, ruleFor } from "../../shared/status_contract.ts";
import { type BackoffConfig, backoffMs } from "./backoff.ts";
import { type BatchConfig, BatchGate } from "./batch_gate.ts";
import { Breaker } from "./breaker.ts";
import { Commits } from "./commits.ts";
import type { DeadLetterBudgetConfig } from "./dead_letter_budget.ts";
import { DeadLetters } from "./dead_letters.ts";
import type { DeadLetterReason, Delivery, Received } from "./delivery.ts";
import { Dispatcher } from "./dispatcher.ts";
import { DueQueue } from "./due_queue.ts";
import type { Assigned, Command, Event, Notice } from "./events.ts";
import { Intake, type IntakeBounds } from "./intake.ts";
import { decodeOffsetMap, entriesMax } from "./offset_map.ts";
import { Partition, partitionId, type TopicPartition } from "./partition.ts";
import { type CommitMode, type DeliveryMode, laneOf, type Policy, policyFor } from "./policy.ts";
import { HealthWindow } from "./verdict.ts";

/** Everything about delivery that can be set. Times in ms. */
export interface MachineConfig {
  readonly mode: DeliveryMode;
  readonly commits: CommitMode;
  readonly commitIntervalMs: number;
  readonly batch: BatchConfig;
  /** Ends by itself after so long without a record; undefined: never. */
  readonly idleExitMs: number | undefined;
  readonly maxAttempts: number;
  readonly backoff: BackoffConfig;
  readonly retryAfterMaxMs: number;
  readonly deadLetters: DeadLetterBudgetConfig;
  readonly bounds: IntakeBounds;
  readonly shutdownGraceMs: number;
}

/**
 * After so long without a failure of a record that was never sent before, in ms, an outage that `/readyz` denies is
 * taken for what it then must be: nothing but bad records left. So nothing blocks for ever.
 */
export const SUSPECTS_ONLY_MS = 600_000;

/** A record that met full replicas twice in a row waits a random time up to this, in ms. */
const FULL_AGAIN_MAX_MS = 1000;

/** A record whose attempt the replicas' `/readyz` decides on. */
interface Suspect<R> {
  readonly delivery: Delivery<R>;
  /** Delivery was paused already when it was asked. */
  readonly paused: boolean;
}

/** The delivery machine. Deterministic: the same events, times and random numbers give the same commands. */
export class Machine<R> {
  readonly #config: MachineConfig;
  readonly #policy: Policy;
  readonly #random: () => number;
  readonly #partitions: Map<string, Partition<R>> = new Map();
  readonly #dispatcher: Dispatcher<R>;
  readonly #waiting: DueQueue<Delivery<R>> = new DueQueue();
  readonly #health = new HealthWindow();
  readonly #breaker = new Breaker();
  readonly #deadLetters: DeadLetters<R>;
  /** Attempts of revoked partitions that are still out; in ordered modes the next owner waits for them. */
  readonly #lingering: Map<string, number> = new Map();
  readonly #commits: Commits<R>;
  readonly #intake: Intake<R>;
  readonly #gate: BatchGate | undefined;
  readonly #entriesMax: number;
  #judging: Suspect<R>[] = [];
  #asking = false;
  #probe: Delivery<R> | undefined;
  #freshFailedMs = -Infinity;
  #permits = 0;
  #inFlight = 0;
  /** When the last record or assignment came; undefined while we wait for an assignment. */
  #receivedMs: number | undefined;
  #idleTold = false;
  #stopByMs: number | undefined;
  /** The group rebalances: until the next assignment any partition may be about to go. */
  #rebalances = false;
  #stopped = false;
  #commands: Command<R>[] = [];

  constructor(config: MachineConfig, random: () => number, nowMs: number) {
    this.#config = config;
    this.#policy = policyFor(config.mode, config.commits);
    this.#random = random;
    this.#entriesMax = entriesMax(config.bounds.aheadMax * 2, config.maxAttempts);
    this.#dispatcher = new Dispatcher((partition) => this.#mayStart(partition));
    this.#deadLetters = new DeadLetters(config.deadLetters, random, nowMs);
    this.#commits = new Commits(this.#policy, config.commitIntervalMs);
    this.#intake = new Intake(config.bounds);
    this.#gate = this.#policy.batched ? new BatchGate(config.batch) : undefined;
  }

  /** The parts that causes, metrics and the dashboard read. */
  get view(): MachineView<R> {
    return {
      partitions: [...this.#partitions.values()],
      inFlight: this.#inFlight,
      permits: this.#permits,
      waiting: this.#waiting.length,
      breaker: this.#breaker,
      deadLetters: this.#deadLetters,
      commits: this.#commits,
      aheadMax: this.#config.bounds.aheadMax,
      stopping: this.#stopByMs !== undefined,
    };
  }

  /** Takes one event in and answers with what is to be done, in order. */
  handle(event: Event<R>, nowMs: number): readonly Command<R>[] {
    this.#commands = [];
    this.#apply(event, nowMs);
    this.#advance(nowMs);
    return this.#commands;
  }

  /** When a `tick` is due at the latest, in ms; undefined when only events can change anything. */
  wakeAtMs(nowMs: number): number | undefined {
    if (this.#stopped) return undefined;
    const least = Math.min(
      this.#waiting.nextMs ?? Infinity,
      this.#commits.dueMs ?? Infinity,
      this.#deadLetters.nextMs(nowMs) ?? Infinity,
      this.#probeAtMs() ?? Infinity,
      this.#lingerUntilMs() ?? Infinity,
      this.#idleAtMs() ?? Infinity,
      this.#stopByMs ?? Infinity,
    );
    return least === Infinity ? undefined : least;
  }

  #apply(event: Event<R>, nowMs: number): void {
    switch (event.type) {
      case "assigned":
        return this.#assigned(event.epoch, event.partitions, nowMs);
      case "revoked":
        event.partitions.forEach((at) => this.#revoked(at));
        this.#receivedMs = undefined;
        return this.#shareIntake(nowMs);
      case "rebalancing":
        return this.#rebalancing(nowMs);
      case "received":
        return this.#received(event, nowMs);
      case "attempt_finished":
        return this.#attemptFinished(event.delivery, event.outcome, nowMs);
      case "attempt_abandoned":
        return this.#attemptAbandoned(event.delivery, nowMs);
      case "dead_letter_written":
        return this.#deadLetterWritten(event.delivery, nowMs);
      case "dead_letter_failed":
        return this.#deadLetters.recordFailed(event.delivery, nowMs);
      case "commit_finished":
        return this.#commits.finished(event.id, event.ok, nowMs).forEach((delivery) => this.#letGo(delivery));
      case "permits_changed":
        return this.#permitsChanged(event.permits, nowMs);
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
    if (this.#stopped) return;
    for (let due = this.#waiting.takeDue(nowMs); due !== undefined; due = this.#waiting.takeDue(nowMs)) {
      if (due.state === "waiting") this.#dispatcher.again(due);
    }
    for (let bad = this.#deadLetters.take(nowMs); bad !== undefined; bad = this.#deadLetters.take(nowMs)) {
      this.#emit({ type: "dead_letter", delivery: bad, reason: bad.reason ?? "rejected" });
    }
    if (this.#gate?.isIdle(this.#dispatcher.fresh)) {
      // A whole batch is committed before the next one begins, which may have to wait for that.
      this.#commits.hurry(nowMs);
      this.#commitDue(nowMs);
    }
    if (this.#stopByMs === undefined) this.#send(nowMs);
    this.#commitDue(nowMs);
    if ((this.#idleAtMs() ?? Infinity) <= nowMs) this.#tellIdle();
    if (this.#stopByMs !== undefined) this.#maybeStopped(this.#stopByMs, nowMs);
  }

  // ---- assignment

  #assigned(epoch: number, partitions: readonly Assigned[], nowMs: number): void {
    this.#receivedMs = nowMs;
    this.#rebalances = false;
    for (const { offset, metadata, ...at } of partitions) {
      const decoded = decodeOffsetMap(metadata, offset);
      const inherited = decoded.kind === "map" ? decoded.map : { settled: [], attempts: new Map() };
      if (decoded.kind === "untrusted") this.#notice({ kind: "map_untrusted", at, why: decoded.why });
      this.#revoked(at);
      const partition = new Partition<R>(at, epoch, { offset, metadata: metadata ?? "" }, inherited);
      this.#partitions.set(partition.id, partition);
    }
    this.#shareIntake(nowMs);
  }

  /** The shares have changed, and what is gone holds no memory: others may go on, or have to wait. */
  #shareIntake(nowMs: number): void {
    this.#intake.share(this.#partitions.size);
    for (const partition of this.#partitions.values()) this.#regulate(partition, nowMs);
  }

  #rebalancing(nowMs: number): void {
    this.#rebalances = true;
    this.#receivedMs = undefined;
    this.#touchAll(nowMs);
    this.#commitNow(nowMs);
  }

  /** What `fast` committed may be ahead of what is settled: for the time partitions may go it is taken back. */
  #touchAll(nowMs: number): void {
    if (this.#policy.extent !== "received") return;
    for (const partition of this.#partitions.values()) this.#commits.touch(partition, nowMs);
  }

  #revoked(at: TopicPartition): void {
    const partition = this.#partitions.get(partitionId(at));
    if (partition === undefined) return;
    this.#partitions.delete(partition.id);
    this.#commits.forget(partition).forEach((delivery) => this.#letGo(delivery));
    partition.revoked = true;
    this.#linger(partition, partition.inFlight);
    this.#dispatcher.forget(partition);
    partition.ledger.walk({ settled() {}, unsettled: (_, delivery) => this.#drop(delivery) });
    this.#intake.forget(partition);
  }

  #linger({ id }: Partition<R>, attempts: number): void {
    if (this.#policy.order === "none" || attempts === 0) return;
    const left = (this.#lingering.get(id) ?? 0) + attempts;
    if (left > 0) this.#lingering.set(id, left);
    else this.#lingering.delete(id);
  }

  #drop(delivery: Delivery<R>): void {
    // What is in flight keeps its permit until its attempt ends.
    if (delivery.state === "in_flight") return;
    this.#endBatched(delivery);
    delivery.state = "dropped";
  }

  // ---- records

  #received(event: Extract<Event<R>, { type: "received" }>, nowMs: number): void {
    const partition = this.#partitions.get(partitionId(event.from));
    if (partition === undefined || partition.epoch !== event.epoch) return;
    for (const record of event.records) {
      // Below the position it is a second fetch of what the ledger holds already.
      if (record.offset >= partition.ledger.position) this.#take(partition, record, nowMs);
    }
    const before = partition.ledger.committable();
    partition.ledger.advance(event.position);
    partition.highWatermark = Math.max(event.highWatermark, partition.ledger.position);
    if (partition.ledger.committable() !== before || this.#policy.extent === "received") {
      this.#commits.touch(partition, nowMs);
    }
    if (event.records.length > 0 && this.#receivedMs !== undefined) this.#receivedMs = nowMs;
    this.#regulate(partition, nowMs);
  }

  #take(partition: Partition<R>, received: Received<R>, nowMs: number): void {
    const { ledger } = partition;
    if (partition.settledBefore(received.offset)) {
      ledger.receiveSettled(received.offset);
      return this.#commits.touch(partition, nowMs);
    }
    const delivery: Delivery<R> = {
      ...received,
      home: partition,
      lane: laneOf(this.#policy.order, received.key),
      seq: 0,
      state: "ready",
      attempts: partition.attemptsBefore(received.offset),
      posts: 0,
      failures: 0,
      last: undefined,
      failedMs: undefined,
      sentMs: undefined,
      batched: false,
      reason: undefined,
    };
    delivery.seq = ledger.receive(received.offset, delivery);
    if (delivery.attempts > 0) this.#inheritAttempts(delivery);
    this.#intake.add(delivery);
    this.#dispatcher.enqueue(delivery);
  }

  #inheritAttempts(delivery: Delivery<R>): void {
    delivery.posts = delivery.attempts;
    delivery.failures = delivery.attempts;
    delivery.home.started += 1;
    delivery.home.ledger.touch(delivery.seq);
  }

  #regulate(partition: Partition<R>, nowMs: number): void {
    for (const changed of this.#intake.regulate(partition, this.#partitions.values())) {
      // Whoever was paused has had no chance to bring a record: idle time begins again.
      if (!changed.paused && this.#receivedMs !== undefined) this.#receivedMs = nowMs;
      this.#emit({ type: changed.paused ? "pause" : "resume", partition: changed });
    }
  }

  // ---- sending

  #send(nowMs: number): void {
    if (this.#breaker.pause !== undefined) return this.#sendProbe(nowMs);
    while (this.#inFlight < this.#permits) {
      const fresh = this.#gate?.admits(this.#dispatcher.fresh, this.#mayBegin(), nowMs) ?? true;
      const delivery = this.#dispatcher.next(fresh);
      if (delivery === undefined) return;
      this.#sendOne(delivery, nowMs);
    }
  }

  #sendProbe(nowMs: number): void {
    if ((this.#breaker.probeAtMs ?? Infinity) > nowMs || this.#inFlight >= this.#permits) return;
    const delivery = this.#dispatcher.nextProbe();
    if (delivery === undefined) return this.#breaker.probeLost(nowMs);
    this.#probe = delivery;
    this.#breaker.probeSent();
    this.#sendOne(delivery, nowMs);
  }

  #sendOne(delivery: Delivery<R>, nowMs: number): void {
    if (this.#gate !== undefined && !delivery.batched) {
      delivery.batched = true;
      this.#gate.recordStarted();
    }
    if (delivery.posts === 0) delivery.home.started += 1;
    delivery.state = "in_flight";
    delivery.sentMs ??= nowMs;
    delivery.posts += 1;
    delivery.home.inFlight += 1;
    delivery.home.ledger.touch(delivery.seq);
    this.#inFlight += 1;
    this.#emit({ type: "send", delivery, attempt: delivery.posts });
  }

  #mayStart({ id, ledger, started }: Partition<R>): boolean {
    // A map that would not fit stops the partition from running further ahead.
    return ledger.runs + started < this.#entriesMax && !this.#lingering.has(id);
  }

  /** Whether a new batch may begin: in `sync` only when the last one's commit is confirmed. */
  #mayBegin(): boolean {
    return !this.#policy.batchAwaitsCommit || this.#commits.clean;
  }

  #probeAtMs(): number | undefined {
    // Without a record or a permit there is nothing to probe with; either of them comes as an event.
    const idle = this.#inFlight >= this.#permits || !this.#dispatcher.hasReady;
    return idle || this.#stopByMs !== undefined ? undefined : this.#breaker.probeAtMs;
  }

  // ---- outcomes

  #attemptFinished(delivery: Delivery<R>, outcome: Outcome, nowMs: number): void {
    const rule = ruleFor(outcome);
    const probe = this.#probe === delivery;
    if (probe) this.#probeFinished(rule, outcome, nowMs);
    if (rule.disposition === "settle") {
      this.#health.recordSuccess(nowMs);
      this.#deadLetters.recordSucceeded();
    }
    if (delivery.home.revoked) return this.#stale(delivery);
    const before = delivery.last;
    delivery.last = outcome;
    if (rule.disposition === "settle" && this.#policy.holdUntilCommitted) {
      this.#settle(delivery, nowMs);
      return this.#commits.hold(delivery);
    }
    this.#returnPermit(delivery);
    switch (rule.disposition) {
      case "settle":
        this.#settle(delivery, nowMs);
        return this.#dispatcher.release(delivery);
      case "dead_letter":
        return this.#deadLetter(
          delivery,
          outcome.kind === "answer" && outcome.action ? "asked-by-worker" : "rejected",
        );
      case "pause":
        this.#open("misconfigured", outcome, nowMs);
        return this.#dispatcher.again(delivery);
      case "retry":
        if (rule.slows === "replica") return this.#retryElsewhere(delivery, before, nowMs);
        return this.#failed(delivery, rule, outcome, probe, nowMs);
      default:
        return rule.disposition satisfies never;
    }
  }

  #attemptAbandoned(delivery: Delivery<R>, nowMs: number): void {
    if (this.#probe === delivery) {
      this.#probe = undefined;
      this.#breaker.probeLost(nowMs);
    }
    if (delivery.home.revoked) return this.#stale(delivery);
    this.#returnPermit(delivery);
    this.#dispatcher.again(delivery);
  }

  #stale(delivery: Delivery<R>): void {
    this.#returnPermit(delivery);
    this.#endBatched(delivery);
    delivery.state = "dropped";
    this.#notice({ kind: "stale", delivery });
  }

  #returnPermit(delivery: Delivery<R>): void {
    this.#inFlight -= 1;
    delivery.home.inFlight -= 1;
    if (delivery.home.revoked) this.#linger(delivery.home, -1);
  }

  /** Held until the commit was confirmed: now its permit and its lane are free. */
  #letGo(delivery: Delivery<R>): void {
    this.#returnPermit(delivery);
    if (!delivery.home.revoked) this.#dispatcher.release(delivery);
  }

  #settle(delivery: Delivery<R>, nowMs: number): void {
    const { home } = delivery;
    delivery.state = "settled";
    home.ledger.settle(delivery.seq);
    home.started -= 1;
    this.#intake.remove(delivery);
    this.#commits.touch(home, nowMs);
    this.#endBatched(delivery);
    this.#notice({ kind: "settled", delivery });
    this.#regulate(home, nowMs);
    this.#dispatcher.offer(home);
  }

  #endBatched(delivery: Delivery<R>): void {
    if (!delivery.batched) return;
    delivery.batched = false;
    this.#gate?.recordEnded();
  }

  #failed(delivery: Delivery<R>, rule: Rule, outcome: Outcome, probe: boolean, nowMs: number): void {
    switch (rule.counts) {
      case "never":
        return this.#retryUncounted(delivery, outcome, nowMs);
      case "always":
        return this.#countAttempt(delivery, nowMs);
      case "verdict":
        return this.#judge(delivery, outcome, probe, nowMs);
      default:
        return rule.counts satisfies never;
    }
  }

  /**
   * The pool rests a full replica or shrinks its limit, so a permit that is left is another replica's and the record
   * goes to it at once. When that one is full too, the record waits a little: nothing may spin.
   */
  #retryElsewhere(delivery: Delivery<R>, before: Outcome | undefined, nowMs: number): void {
    const again = before !== undefined && ruleFor(before).slows === "replica";
    const waitMs = again ? Math.max(1, Math.round(this.#random() * FULL_AGAIN_MAX_MS)) : 0;
    this.#retry(delivery, waitMs, false, nowMs);
  }

  #retryUncounted(delivery: Delivery<R>, outcome: Outcome, nowMs: number): void {
    delivery.failures += 1;
    this.#retry(delivery, this.#waitMs(delivery, outcome), false, nowMs);
  }

  #judge(delivery: Delivery<R>, outcome: Outcome, probe: boolean, nowMs: number): void {
    if (delivery.posts === 1) this.#freshFailedMs = nowMs;
    this.#health.recordFailure(delivery, nowMs);
    const previousMs = delivery.failedMs;
    delivery.failedMs = nowMs;
    const pause = this.#breaker.pause;
    if (pause !== undefined) {
      const suspectsOnly = probe && nowMs - Math.max(pause.sinceMs, this.#freshFailedMs) > SUSPECTS_ONLY_MS;
      return suspectsOnly ? this.#ask(delivery) : this.#retryInOutage(delivery, nowMs);
    }
    switch (this.#health.judge(delivery, previousMs, nowMs)) {
      case "poison":
        return this.#countAttempt(delivery, nowMs);
      case "outage":
        this.#open("outage", outcome, nowMs);
        return this.#retryInOutage(delivery, nowMs);
      case "ask":
        return this.#ask(delivery);
    }
  }

  #ask(delivery: Delivery<R>): void {
    delivery.state = "judging";
    this.#judging.push({ delivery, paused: this.#breaker.pause !== undefined });
    if (this.#asking) return;
    this.#asking = true;
    this.#emit({ type: "check_readiness" });
  }

  #readinessChecked(ready: boolean, nowMs: number): void {
    this.#asking = false;
    const judged = this.#judging.filter(({ delivery }) => delivery.state === "judging");
    this.#judging = [];
    if (!ready && judged[0] !== undefined) this.#open("outage", judged[0].delivery.last, nowMs);
    for (const { delivery, paused } of judged) {
      // Where delivery was paused only after the question, what paused it knows more than the answer.
      if (ready && (paused || this.#breaker.pause === undefined)) this.#countAttempt(delivery, nowMs);
      else this.#retryInOutage(delivery, nowMs);
    }
  }

  /** The breaker paces everything now; the record itself waits only where the worker asked for it. */
  #retryInOutage(delivery: Delivery<R>, nowMs: number): void {
    const asked = (delivery.last as Partial<Answer> | undefined)?.retryAfterMs ?? 0;
    this.#retry(delivery, Math.min(asked, this.#config.retryAfterMaxMs), false, nowMs);
  }

  #countAttempt(delivery: Delivery<R>, nowMs: number): void {
    // An earlier owner may have counted all of them and not come to the dead letter.
    delivery.attempts = Math.min(delivery.attempts + 1, this.#config.maxAttempts);
    delivery.failures += 1;
    this.#commits.touch(delivery.home, nowMs);
    if (delivery.attempts >= this.#config.maxAttempts) {
      const missing = delivery.last !== undefined && ruleFor(delivery.last).name === "ticket-not-found";
      return this.#deadLetter(delivery, missing ? "ticket-not-found" : "attempts-exhausted");
    }
    this.#retry(delivery, this.#waitMs(delivery, delivery.last), true, nowMs);
  }

  #retry(delivery: Delivery<R>, waitMs: number, counted: boolean, nowMs: number): void {
    this.#notice({ kind: "retrying", delivery, waitMs, counted });
    if (waitMs === 0) return this.#dispatcher.again(delivery);
    delivery.state = "waiting";
    this.#waiting.push(nowMs + waitMs, delivery);
  }

  /** `Retry-After` where the worker gave one, else backoff. */
  #waitMs(delivery: Delivery<R>, outcome: Outcome | undefined): number {
    const asked = (outcome as Partial<Answer> | undefined)?.retryAfterMs;
    if (asked !== undefined) return Math.min(asked, this.#config.retryAfterMaxMs);
    return backoffMs(this.#config.backoff, delivery.failures, this.#random);
  }

  // ---- breaker

  #permitsChanged(permits: number, nowMs: number): void {
    // A replica came up where there was none: there is no reason to wait for the next probe's turn.
    if (this.#permits === 0 && permits > 0) this.#breaker.hasten(nowMs);
    this.#permits = permits;
  }

  #open(cause: "outage" | "misconfigured", last: Outcome | undefined, nowMs: number): void {
    const before = this.#breaker.pause?.cause;
    this.#breaker.open(cause, last, nowMs);
    if (before !== cause) this.#notice({ kind: "paused", cause, last });
  }

  #probeFinished(rule: Rule, outcome: Outcome, nowMs: number): void {
    this.#probe = undefined;
    const pause = this.#breaker.pause;
    if (pause === undefined) return;
    if (rule.slows === "replica") return this.#breaker.probeLost(nowMs);
    if (rule.disposition === "pause") return this.#breaker.probeFailed("misconfigured", outcome, nowMs);
    // A failure says that the misconfiguration is gone; whether there is an outage now, the verdict finds out.
    if (rule.counts === "verdict" && pause.cause === "outage") {
      return this.#breaker.probeFailed("outage", outcome, nowMs);
    }
    this.#breaker.close();
    this.#health.clear();
    this.#notice({ kind: "resumed", pausedMs: nowMs - pause.sinceMs });
  }

  // ---- dead letters

  #deadLetter(delivery: Delivery<R>, reason: DeadLetterReason): void {
    delivery.reason = reason;
    this.#deadLetters.add(delivery);
  }

  #deadLetterWritten(delivery: Delivery<R>, nowMs: number): void {
    this.#deadLetters.recordWritten();
    if (delivery.home.revoked) return;
    this.#settle(delivery, nowMs);
    this.#dispatcher.release(delivery);
  }

  // ---- commits and the end

  #commitDue(nowMs: number): void {
    if ((this.#commits.dueMs ?? Infinity) <= nowMs) this.#commitNow(nowMs);
  }

  #commitNow(nowMs: number): void {
    const leaving = this.#rebalances || this.#stopByMs !== undefined;
    const commit = this.#commits.take(leaving, nowMs);
    if (commit !== undefined) this.#emit({ type: "commit", commit });
  }

  #lingerUntilMs(): number | undefined {
    const held = this.#breaker.pause !== undefined || this.#inFlight >= this.#permits || !this.#mayBegin();
    return held || this.#stopByMs !== undefined ? undefined : this.#gate?.lingerUntilMs;
  }

  #idleAtMs(): number | undefined {
    const { idleExitMs } = this.#config;
    if (idleExitMs === undefined || this.#receivedMs === undefined) return undefined;
    if (this.#idleTold || this.#stopByMs !== undefined) return undefined;
    for (const partition of this.#partitions.values()) {
      if (partition.paused || partition.backlog() > 0) return undefined;
    }
    return this.#receivedMs + idleExitMs;
  }

  #tellIdle(): void {
    this.#idleTold = true;
    this.#emit({ type: "idle" });
  }

  #stopRequested(nowMs: number): void {
    if (this.#stopByMs !== undefined) return;
    this.#stopByMs = nowMs + this.#config.shutdownGraceMs;
    this.#touchAll(nowMs);
  }

  #maybeStopped(stopByMs: number, nowMs: number): void {
    const working = this.#inFlight > 0 || this.#deadLetters.writing > 0;
    const late = nowMs >= stopByMs;
    if (working && !late) return;
    this.#commits.hurry(nowMs);
    this.#commitDue(nowMs);
    if (!this.#commits.clean && !late) return;
    this.#stopped = true;
    this.#emit({ type: "stopped", clean: !working && this.#commits.clean });
  }

  #emit(command: Command<R>): void {
    this.#commands.push(command);
  }

  #notice(notice: Notice<R>): void {
    this.#emit({ type: "notice", notice });
  }
}

/** What others may look at; nothing of it is theirs to change. */
export interface MachineView<R> {
  readonly partitions: readonly Partition<R>[];
  readonly inFlight: number;
  readonly permits: number;
  /** Records that wait for their retry. */
  readonly waiting: number;
  readonly breaker: Breaker;
  readonly deadLetters: DeadLetters<R>;
  readonly commits: Commits<R>;
  readonly aheadMax: number;
  readonly stopping: boolean;
}
