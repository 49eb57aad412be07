// Dispatcher: hands permits out, to records or to probes, and follows batches.

import type { BatchGate } from "../policies/batch_gate.ts";
import type { Breaker } from "../policies/breaker.ts";
import type { Delivery } from "../delivery.ts";
import type { Outbox } from "../events.ts";
import type { Partition } from "../partition.ts";
import { RateGate } from "../policies/rate_gate.ts";
import type { ReadyRecords } from "./ready_records.ts";

/**
 * Share of the permits that records have which failed before: while new ones wait, and never two of them in a row; and
 * alone, so that a new one finds a free permit whenever it comes.
 */
const WITH_NEW_RECORDS = 1 / 4;
const ALONE = 1 / 2;

/** Counts permits and hands them out. */
export class Dispatcher<R> {
  readonly #ready: ReadyRecords<R>;
  readonly #breaker: Breaker;
  readonly #outbox: Outbox<R>;
  readonly #gate: BatchGate | undefined;
  #probe: Delivery<R> | undefined;
  /** The last probe reused a failed record because no fresh one was available. */
  #probedSuspect = false;
  /** On their way are attempts of records that failed before. */
  readonly #suspects: Set<Delivery<R>> = new Set();
  #lastWasSuspect = false;
  readonly #rate = new RateGate();
  #poolPermits = 0;
  #permitsMax = Infinity;
  #inFlight = 0;

  /** @param gate what new records pass in `batch` mode. */
  constructor(ready: ReadyRecords<R>, breaker: Breaker, outbox: Outbox<R>, gate: BatchGate | undefined) {
    this.#ready = ready;
    this.#breaker = breaker;
    this.#outbox = outbox;
    this.#gate = gate;
  }

  /** Attempts that hold a permit. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Attempts that may be out at once: what the pool takes, up to our share of what operators allow. */
  get permits(): number {
    return Math.min(this.#poolPermits, this.#permitsMax);
  }

  /** Attempts a second that may leave; undefined: no limit. */
  get ratePerSecond(): number | undefined {
    return this.#rate.perSecond;
  }

  /** Whether no batch is open: what is settled may be committed. */
  get betweenBatches(): boolean {
    return this.#gate?.isIdle(this.#ready.newRecords) ?? false;
  }

  /** Whether `next()` is worth asking; a pause and a batch have something to note also where no record is ready. */
  mayHaveNext(nowMs: number): boolean {
    const idle = !this.#ready.hasReady && this.#breaker.pause === undefined && this.#gate === undefined;
    return this.#inFlight < this.permits && !idle && this.#rateAdmits(nowMs);
  }

  /** When the rate lets the next one leave, in ms; undefined while it is not what is waited for. */
  rateAtMs(nowMs: number): number | undefined {
    const idle = this.#inFlight >= this.permits || !this.#ready.hasReady;
    return idle || this.#rateAdmits(nowMs) ? undefined : Math.ceil(this.#rate.nextMs);
  }

  /** When the next probe is due, in ms. */
  get probeAtMs(): number | undefined {
    // Without a record or a permit there is nothing to probe with; either of them comes as an event.
    const idle = this.#inFlight >= this.permits || !this.#ready.hasReady;
    return idle ? undefined : this.#breaker.probeAtMs;
  }

  /** When a part-filled batch leaves, in ms. `mayBegin` says whether a new batch may. */
  lingerUntilMs(mayBegin: boolean, nowMs: number): number | undefined {
    if (!this.#rateAdmits(nowMs)) return undefined;
    const held = this.#breaker.pause !== undefined || this.#inFlight >= this.permits || !mayBegin;
    return held ? undefined : this.#gate?.lingerUntilMs;
  }

  /** The pool takes so many attempts at once now. */
  setPermits(permits: number, nowMs: number): void {
    // A replica came up where there was none: there is no reason to wait for the next probe's turn.
    if (this.#poolPermits === 0 && permits > 0) this.#breaker.probeNow(nowMs);
    this.#poolPermits = permits;
  }

  /** An operator holds a partition, or lets it go. No batch waits for what is held; it joins a later one. */
  setHeld(partition: Partition<R>, held: boolean): void {
    this.#ready.setHeld(partition, held);
    if (!held || this.#gate === undefined) return;
    partition.ledger.walk({
      settled() {},
      unsettled: (_, delivery) => delivery.state === "in_flight" || this.#endBatched(delivery),
    });
  }

  /** Our share of what operators allow; undefined: no limit. */
  setLimits(ratePerSecond: number | undefined, permitsMax: number | undefined, nowMs: number): void {
    this.#rate.setRate(ratePerSecond, nowMs);
    this.#permitsMax = permitsMax ?? Infinity;
  }

  /** A new record waits for its turn. */
  enqueue(delivery: Delivery<R>, nowMs: number): void {
    this.#ready.enqueue(delivery);
    if (!this.#probedSuspect) return;
    // At last a record to probe with that nothing speaks against.
    this.#probedSuspect = false;
    this.#breaker.probeSooner(nowMs);
  }

  /** The next record to send now; undefined when none may leave. `mayBegin` says whether a new batch may. */
  next(mayBegin: boolean, nowMs: number): Delivery<R> | undefined {
    if (this.#breaker.pause !== undefined) return this.#nextProbe(nowMs);
    const fresh = this.#gate?.admits(this.#ready.newRecords, mayBegin, nowMs) ?? true;
    return this.#ready.next(fresh, this.#hasRoom(WITH_NEW_RECORDS) && !this.#lastWasSuspect) ??
      (this.#hasRoom(ALONE) ? this.#ready.next(false, true) : undefined);
  }

  /** Sends a record: as the probe where delivery is paused. */
  start(delivery: Delivery<R>, nowMs: number): void {
    if (this.#breaker.pause !== undefined) {
      this.#probe = delivery;
      this.#probedSuspect = delivery.attemptsSent > 0;
      this.#breaker.probeSent();
    }
    // One that failed before is retried beside the batches: none of them waits for it.
    if (this.#gate !== undefined && !delivery.inBatch && !delivery.hasFailed) {
      delivery.inBatch = true;
      this.#gate.recordStarted();
    }
    const { partition } = delivery;
    if (this.#rate.perSecond !== undefined) this.#rate.recordSent(nowMs);
    this.#lastWasSuspect = delivery.hasFailed;
    if (delivery.hasFailed) this.#suspects.add(delivery);
    delivery.start(nowMs);
    partition.inFlight += 1;
    partition.ledger.markStarted(delivery.entry);
    this.#inFlight += 1;
    this.#outbox.push({ type: "send", delivery, attempt: delivery.attemptsSent });
  }

  /** Whether this attempt was the probe; it is not out any more. */
  endProbe(delivery: Delivery<R>): boolean {
    if (this.#probe !== delivery) return false;
    this.#probe = undefined;
    return true;
  }

  /** An attempt came back. */
  returnPermit(delivery: Delivery<R>): void {
    const { partition } = delivery;
    this.#suspects.delete(delivery);
    this.#inFlight -= 1;
    partition.inFlight -= 1;
    if (partition.held) this.#endBatched(delivery);
    if (partition.revoked) this.#ready.linger(partition, -1);
  }

  /** A record is settled: its batch and its partition go on. */
  settled(delivery: Delivery<R>): void {
    this.#endBatched(delivery);
    this.#ready.offer(delivery.partition);
  }

  /** A record that may be bad is no part of its batch any more: what is well need not wait for it. */
  leaveBatch(delivery: Delivery<R>): void {
    this.#endBatched(delivery);
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
    this.#outbox.push({ type: "notice", notice: { kind: "stale", delivery } });
  }

  /** A partition is gone. What is in flight of it keeps its permit until its attempt ends. */
  forget(partition: Partition<R>): void {
    this.#ready.linger(partition, partition.inFlight);
    this.#ready.forget(partition);
    partition.ledger.walk({ settled() {}, unsettled: (_, delivery) => this.#drop(delivery) });
  }

  #drop(delivery: Delivery<R>): void {
    if (delivery.state === "in_flight") return;
    this.#endBatched(delivery);
    delivery.drop();
  }

  /** Whether another record that failed before may have a permit. */
  #hasRoom(share: number): boolean {
    return this.#suspects.size < Math.max(1, Math.floor(this.permits * share));
  }

  #nextProbe(nowMs: number): Delivery<R> | undefined {
    if ((this.#breaker.probeAtMs ?? Infinity) > nowMs) return undefined;
    const delivery = this.#ready.nextProbe();
    if (delivery === undefined) this.#breaker.probeInconclusive(nowMs);
    return delivery;
  }

  #rateAdmits(nowMs: number): boolean {
    return this.#rate.perSecond === undefined || this.#rate.admits(nowMs);
  }

  #endBatched(delivery: Delivery<R>): void {
    if (!delivery.inBatch) return;
    delivery.inBatch = false;
    this.#gate?.recordEnded();
  }
}
