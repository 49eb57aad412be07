// Runtime: drives the machine. It hands it events and the time, carries its commands out, and keeps its one timer.

import { monotonicMs } from "../shared/clock.ts";
import type { Cause } from "../shared/http/health.ts";
import { ruleFor } from "../shared/contract/status_contract.ts";
import { causesOf } from "./core/causes.ts";
import type { PartitionCommit } from "./core/commits.ts";
import type { Delivery } from "./core/delivery.ts";
import type { Command, Event } from "./core/events.ts";
import { Machine, type MachineConfig, type MachineView } from "./core/machine.ts";
import type { TopicPartition } from "./records/position.ts";
import type { DecisionFeed } from "./decision_feed.ts";
import { DeliveryLog } from "./delivery_log.ts";
import type { FlowMemory } from "./page/memory/flow_memory.ts";
import { type TakeEffect, takeEffect } from "./core/operator.ts";
import { Pace } from "./core/scale.ts";
import { backlogOf } from "./core/why/facts.ts";
import type { KafkaRecord } from "./records/record.ts";
import type { ConsumerMetrics } from "./metrics/consumer_metrics.ts";
import type { AttemptSender } from "./senders/sender.ts";
import { restoreHeaders } from "./dead_letters/carried_headers.ts";
import type { Origin } from "./records/position.ts";
import { toRequest } from "./senders/http_request.ts";
import { tracedAttempt } from "./senders/traced_attempt.ts";

/** What the runtime needs of Kafka. */
export interface RecordSource {
  pause(at: TopicPartition): void;
  resume(at: TopicPartition): void;
  /** Resolves to those that were refused while others were taken; rejects where none was taken. */
  commit(marks: readonly PartitionCommit<KafkaRecord>[]): Promise<readonly PartitionCommit<KafkaRecord>[]>;
}

/** A dead letter that the broker has confirmed. */
export interface WrittenLetter {
  /** In its partition of the dead-letter topic; undefined where the broker does not tell. */
  readonly offset: number | undefined;
}

/** What the runtime needs of the dead-letter topic. */
export interface DeadLetterWriter {
  /** Resolves when the broker has it, with where that is. */
  write(delivery: Delivery<KafkaRecord>, nowMs: number): Promise<WrittenLetter>;
}

/** The adapters. */
export interface RuntimePorts {
  readonly pool: AttemptSender;
  readonly source: RecordSource;
  readonly deadLetters: DeadLetterWriter;
  readonly metrics: ConsumerMetrics;
  /** Those who watch live. */
  readonly decisions?: DecisionFeed;
  /** What the operator's page remembers. */
  readonly memory?: FlowMemory;
}

/** How a run ended. */
export interface RunEnd {
  /** Everything in flight was finished and committed. */
  readonly clean: boolean;
  /** It ended by itself, for want of records. */
  readonly idle: boolean;
}

/** One machine at work. `feed()` takes events from outside; `ended` resolves after `stop()` or when idle. */
export class Runtime {
  readonly #machine: Machine<KafkaRecord>;
  readonly #ports: RuntimePorts;
  readonly #log: DeliveryLog;
  readonly #timeoutMs: number;
  readonly #pace = new Pace();
  readonly #events: Event<KafkaRecord>[] = [];
  readonly #ended = Promise.withResolvers<RunEnd>();
  #feeding = false;
  #failed = false;
  #idle = false;
  /** What the replicas said when they were last looked at in a pause. */
  #ready = true;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs = Infinity;

  /** @param timeoutMs time limit of one attempt. */
  constructor(config: MachineConfig, timeoutMs: number, ports: RuntimePorts) {
    this.#machine = new Machine(config, Math.random, monotonicMs());
    this.#ports = ports;
    this.#log = new DeliveryLog(ports.metrics, ports.decisions);
    this.#timeoutMs = timeoutMs;
    ports.pool.onChange(() => this.feed({ type: "permits_changed", permits: ports.pool.permits }));
  }

  /** Resolves when the machine has stopped; rejects when a bug stopped it. */
  get ended(): Promise<RunEnd> {
    return this.#ended.promise;
  }

  /** For metrics. */
  get view(): MachineView {
    return this.#machine.view;
  }

  /** Records settled since the start, dead letters included. */
  get settled(): number {
    return this.#log.settled;
  }

  /** Time that a settled record holds a permit, in ms; undefined before the first one. */
  get permitMs(): number | undefined {
    return this.#pace.permitMs;
  }

  /** A record that is received and not settled; undefined where it is not held. */
  find(at: TopicPartition, offset: number): Delivery<KafkaRecord> | undefined {
    return this.#machine.find(at, offset);
  }

  /** An operator takes a record out of delivery. Undefined where it is not held. */
  take(at: TopicPartition, offset: number): TakeEffect | undefined {
    const delivery = this.find(at, offset);
    const effect = delivery && takeEffect(delivery);
    if (delivery === undefined || effect === undefined) return undefined;
    this.#log.recordTaken(delivery, effect);
    this.feed({ type: "take_requested", at, offset });
    return effect;
  }

  /** Why delivery is held up, as far as machine and pool know. */
  causes(): readonly Cause[] {
    const { view } = this;
    const own = causesOf(view);
    const covered = new Set(own.map(({ name }) => name));
    // Attempts that fail say more than the replicas' `/readyz`, of the same trouble.
    if (view.pause !== undefined) covered.add("workers-not-ready");
    // Replicas at zero are no trouble while nothing is to be done.
    if (backlogOf(view) === 0) covered.add("no-replica");
    return [...own, ...this.#ports.pool.causes().filter(({ name }) => !covered.has(name))];
  }

  /**
   * While delivery is paused: asks the replicas' `/readyz`, which is the first to know that the trouble is over. Probes
   * that fail leave longer and longer pauses.
   */
  async lookForReady(): Promise<void> {
    if (this.view.pause === undefined) return;
    const ready = await this.#ports.pool.checkReady();
    const turned = ready && !this.#ready;
    this.#ready = ready;
    if (turned) this.feed({ type: "replicas_ready" });
  }

  /** Begins with the permits there are. */
  start(): void {
    this.feed({ type: "permits_changed", permits: this.#ports.pool.permits });
  }

  /** No new request from now on; what is in flight is finished, within the grace. */
  stop(): void {
    this.feed({ type: "stop_requested" });
  }

  /**
   * Takes an event. Events that come while one is handled wait for their turn. Never throws, since a client library or a
   * timer calls it: an exception here is a bug and ends the run.
   */
  feed(event: Event<KafkaRecord>): void {
    if (this.#failed) return;
    this.#events.push(event);
    if (this.#feeding) return;
    this.#feeding = true;
    try {
      let nowMs = 0;
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        nowMs = monotonicMs();
        for (const command of this.#machine.handle(next, nowMs)) this.#carryOut(command);
      }
      this.#schedule(nowMs);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#feeding = false;
    }
  }

  /** Stopping may cost a redelivery of what is settled; going on might cost a record. */
  #fail(error: unknown): void {
    this.#failed = true;
    clearTimeout(this.#timer);
    this.#ended.reject(error);
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error) => this.#fail(error));
  }

  #carryOut(command: Command<KafkaRecord>): void {
    switch (command.type) {
      case "send":
        return this.#inBackground(this.#send(command.delivery, command.attempt));
      case "commit":
        return this.#inBackground(this.#commit(command.commit.id, command.commit.marks));
      case "dead_letter":
        return this.#inBackground(this.#deadLetter(command.delivery));
      case "pause":
        return this.#ports.source.pause(command.partition);
      case "resume":
        return this.#ports.source.resume(command.partition);
      case "check_readiness":
        return this.#inBackground(this.#checkReadiness());
      case "idle":
        this.#idle = true;
        this.#log.idle();
        return this.feed({ type: "stop_requested" });
      case "stopped":
        clearTimeout(this.#timer);
        return this.#ended.resolve({ clean: command.clean, idle: this.#idle });
      case "notice":
        if (command.notice.kind === "settled") {
          this.#ports.memory?.recordSettled(command.notice.delivery, Date.now());
        }
        return this.#log.notice(command.notice);
      default:
        return command satisfies never;
    }
  }

  async #checkReadiness(): Promise<void> {
    this.feed({ type: "readiness_checked", ready: await this.#ports.pool.checkReady() });
  }

  async #send(delivery: Delivery<KafkaRecord>, attempt: number): Promise<void> {
    const startedMs = performance.now();
    const { record, origin } = delivery;
    const request = toRequest(record, origin, attempt, this.#timeoutMs);
    const { outcome, headers } = await tracedAttempt(
      record,
      attempt,
      request,
      (traced) => this.#ports.pool.send(traced, asFirstRead(record, origin)),
    );
    const tookMs = performance.now() - startedMs;
    this.#ports.memory?.attemptFinished(delivery, { outcome, tookMs, headers }, Date.now());
    this.#log.attemptFinished(outcome, tookMs);
    if (ruleFor(outcome).disposition === "settle") this.#pace.recordSettled(tookMs);
    this.feed({ type: "attempt_finished", delivery, outcome });
  }

  async #commit(id: number, marks: readonly PartitionCommit<KafkaRecord>[]): Promise<void> {
    try {
      const refused = await this.#ports.source.commit(marks);
      this.#log.commitConfirmed(marks.filter((line) => !refused.includes(line)));
      if (refused.length > 0) this.#log.commitRefused(refused.map(({ partition }) => partition.id).join());
      this.feed({ type: "commit_finished", id, ok: true, refused });
    } catch (error) {
      this.#log.commitRefused(error);
      this.feed({ type: "commit_finished", id, ok: false });
    }
  }

  async #deadLetter(delivery: Delivery<KafkaRecord>): Promise<void> {
    try {
      const { offset } = await this.#ports.deadLetters.write(delivery, Date.now());
      this.#log.deadLetterWritten(delivery);
      this.#ports.memory?.deadLettered(delivery, Date.now());
      this.feed({ type: "dead_letter_written", delivery, ...(offset === undefined ? {} : { offset }) });
    } catch (error) {
      this.#log.deadLetterFailed(delivery, error);
      this.feed({ type: "dead_letter_failed", delivery });
    }
  }

  /** A timer that fires early does no harm, so it is moved only when it would fire late. */
  #schedule(nowMs: number): void {
    const wakeMs = this.#machine.wakeAtMs(nowMs) ?? Infinity;
    if (wakeMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = wakeMs;
    this.#timer = setTimeout(() => {
      this.#timerMs = Infinity;
      this.feed({ type: "tick" });
    }, Math.max(0, wakeMs - nowMs));
  }
}

/** A replay's headers as they came with the record. */
function asFirstRead(record: KafkaRecord, origin: Origin | undefined): KafkaRecord {
  return origin === undefined ? record : { ...record, headers: restoreHeaders(record.headers) };
}
