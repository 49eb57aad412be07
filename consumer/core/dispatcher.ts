// What is on its way: permits, which record gets one, batches, probes, and attempts that outlive their partition.

import { BatchGate } from "./policies/batch_gate.ts";
import type { Breaker } from "./policies/breaker.ts";
import type { Commits } from "./commits.ts";
import type { Delivery } from "./delivery.ts";
import { ReadyRecords } from "./ready_records.ts";
import { entriesMax } from "./offsets/offset_map.ts";
import type { Outbox } from "./outbox.ts";
import type { Partition } from "./partition.ts";
import type { DeliveryPolicy } from "./policies/delivery_mode.ts";
import type { MachineConfig } from "./config.ts";

/** Whether a new record whose turn has come goes elsewhere; then it was put there. */
export type Intercept<R> = (delivery: Delivery<R>, nowMs: number) => boolean;

/** Counts permits and hands them out. */
export class Dispatcher<R> {
  readonly #policy: DeliveryPolicy;
  readonly #breaker: Breaker;
  readonly #commits: Commits<R>;
  readonly #outbox: Outbox<R>;
  readonly #intercept: Intercept<R>;
  readonly #parkKeys: boolean;
  readonly #ready: ReadyRecords<R>;
  readonly #gate: BatchGate | undefined;
  /** Started records and settled runs that a partition's offset map has room for. */
  readonly entriesMax: number;
  /** Attempts of revoked partitions that are still out; in ordered modes the next owner waits for them. */
  readonly #lingering: Map<string, number> = new Map();
  #probe: Delivery<R> | undefined;
  /** The last probe was a record that had failed before, for want of another. */
  #probedSuspect = false;
  #permits = 0;
  #inFlight = 0;

  constructor(
    config: MachineConfig,
    policy: DeliveryPolicy,
    breaker: Breaker,
    commits: Commits<R>,
    outbox: Outbox<R>,
    divert: Intercept<R>,
  ) {
    this.#policy = policy;
    this.#breaker = breaker;
    this.#commits = commits;
    this.#outbox = outbox;
    this.#intercept = divert;
    this.#parkKeys = config.parkKeys;
    this.entriesMax = entriesMax(config.bounds.aheadMax * 2, config.maxAttempts);
    this.#ready = new ReadyRecords((partition) => this.#mayStart(partition));
    this.#gate = policy.batched ? new BatchGate(config.batch) : undefined;
  }

  /** Attempts that hold a permit. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Attempts the pool takes at once. */
  get permits(): number {
    return this.#permits;
  }

  /** Whether no batch is open: what is settled may be committed. */
  get betweenBatches(): boolean {
    return this.#gate?.isIdle(this.#ready.newRecords) ?? false;
  }

  /** When the next probe is due, in ms. */
  get probeAtMs(): number | undefined {
    // Without a record or a permit there is nothing to probe with; either of them comes as an event.
    const idle = this.#inFlight >= this.#permits || !this.#ready.hasReady;
    return idle ? undefined : this.#breaker.probeAtMs;
  }

  /** When a part-filled batch leaves, in ms. */
  get lingerUntilMs(): number | undefined {
    const held = this.#breaker.pause !== undefined || this.#inFlight >= this.#permits || !this.#mayBegin();
    return held ? undefined : this.#gate?.lingerUntilMs;
  }

  /** The pool takes so many attempts at once now. */
  setPermits(permits: number, nowMs: number): void {
    // A replica came up where there was none: there is no reason to wait for the next probe's turn.
    if (this.#permits === 0 && permits > 0) this.#breaker.probeNow(nowMs);
    this.#permits = permits;
  }

  /** A new record waits for its turn. */
  enqueue(delivery: Delivery<R>, nowMs: number): void {
    this.#ready.enqueue(delivery);
    if (!this.#probedSuspect) return;
    // At last a record to probe with that nothing speaks against.
    this.#probedSuspect = false;
    this.#breaker.probeSooner(nowMs);
  }

  /** A record that was sent before is ready again. */
  requeue(delivery: Delivery<R>): void {
    this.#ready.requeue(delivery);
  }

  /** A new record whose turn came waits for news of its key. */
  defer(delivery: Delivery<R>): void {
    this.#ready.defer(delivery);
  }

  /** There is news for a partition: what was put aside has another turn. */
  resumeDeferred(partition: Partition<R>): void {
    this.#ready.resumeDeferred(partition);
  }

  /** Sends what may be sent now. */
  send(nowMs: number): void {
    if (this.#breaker.pause !== undefined) return this.#sendProbe(nowMs);
    while (this.#inFlight < this.#permits) {
      const fresh = this.#gate?.admits(this.#ready.newRecords, this.#mayBegin(), nowMs) ?? true;
      const delivery = this.#ready.next(fresh);
      if (delivery === undefined) return;
      if (!this.#isIntercepted(delivery, nowMs)) this.#sendOne(delivery, nowMs);
    }
  }

  /** Whether this attempt was the probe; it is not out any more. */
  endProbe(delivery: Delivery<R>): boolean {
    if (this.#probe !== delivery) return false;
    this.#probe = undefined;
    return true;
  }

  /** An attempt came back. */
  returnPermit({ partition }: Delivery<R>): void {
    this.#inFlight -= 1;
    partition.inFlight -= 1;
    if (partition.revoked) this.#linger(partition, -1);
  }

  /** A record is settled: its batch and its partition go on. */
  settled(delivery: Delivery<R>): void {
    this.#endBatched(delivery);
    this.#ready.offer(delivery.partition);
  }

  /** A record is done with its lane. */
  release(delivery: Delivery<R>): void {
    this.#ready.release(delivery);
  }

  /** Held until the commit was confirmed: now its permit and its lane are free. */
  releaseCommitted(delivery: Delivery<R>): void {
    this.returnPermit(delivery);
    if (!delivery.partition.revoked) this.#ready.release(delivery);
  }

  /** An attempt of a revoked partition came back: its result goes nowhere. */
  dropStale(delivery: Delivery<R>): void {
    this.returnPermit(delivery);
    this.#endBatched(delivery);
    delivery.drop();
    this.#outbox.notice({ kind: "stale", delivery });
  }

  /** A partition is gone. What is in flight of it keeps its permit until its attempt ends. */
  forget(partition: Partition<R>): void {
    this.#linger(partition, partition.inFlight);
    this.#ready.forget(partition);
    partition.ledger.walk({ settled() {}, unsettled: (_, delivery) => this.#drop(delivery) });
  }

  #drop(delivery: Delivery<R>): void {
    if (delivery.state === "in_flight") return;
    this.#endBatched(delivery);
    delivery.drop();
  }

  #sendProbe(nowMs: number): void {
    if ((this.#breaker.probeAtMs ?? Infinity) > nowMs || this.#inFlight >= this.#permits) return;
    let delivery = this.#ready.nextProbe();
    while (delivery !== undefined && this.#isIntercepted(delivery, nowMs)) {
      delivery = this.#ready.nextProbe();
    }
    if (delivery === undefined) return this.#breaker.probeInconclusive(nowMs);
    this.#probe = delivery;
    this.#probedSuspect = delivery.attemptsSent > 0;
    this.#breaker.probeSent();
    this.#sendOne(delivery, nowMs);
  }

  /** Only before the first time: a record that was sent goes on. */
  #isIntercepted(delivery: Delivery<R>, nowMs: number): boolean {
    return delivery.sentMs === undefined && this.#intercept(delivery, nowMs);
  }

  #sendOne(delivery: Delivery<R>, nowMs: number): void {
    if (this.#gate !== undefined && !delivery.inBatch) {
      delivery.inBatch = true;
      this.#gate.recordStarted();
    }
    if (delivery.attemptsSent === 0) delivery.partition.startedCount += 1;
    delivery.start(nowMs);
    delivery.partition.inFlight += 1;
    delivery.partition.ledger.markStarted(delivery.seq);
    this.#inFlight += 1;
    this.#outbox.emit({ type: "send", delivery, attempt: delivery.attemptsSent });
  }

  #mayStart({ id, ledger, startedCount, parking }: Partition<R>): boolean {
    if (this.#parkKeys && !parking.known) return false;
    // A map that would not fit stops the partition from running further ahead.
    return ledger.runs + startedCount < this.entriesMax && !this.#lingering.has(id);
  }

  /** Whether a new batch may begin: in `sync` only when the last one's commit is confirmed. */
  #mayBegin(): boolean {
    return !this.#policy.batchAwaitsCommit || this.#commits.allConfirmed;
  }

  #endBatched(delivery: Delivery<R>): void {
    if (!delivery.inBatch) return;
    delivery.inBatch = false;
    this.#gate?.recordEnded();
  }

  #linger({ id }: Partition<R>, attempts: number): void {
    if (this.#policy.order === "none" || attempts === 0) return;
    const left = (this.#lingering.get(id) ?? 0) + attempts;
    if (left > 0) this.#lingering.set(id, left);
    else this.#lingering.delete(id);
  }
}
