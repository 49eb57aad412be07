// Batches: attempts that leave for the same replica in the same turn go out as one request, each with an answer of its own.

import { monotonicMs } from "../../clock.ts";
import { BATCH_HEADER, batchSizeOf } from "../../contract/batch_lines.ts";
import { RequestHeader } from "../../contract/protocol.ts";
import type { Endpoint } from "../discovery/endpoints.ts";
import type { Replica } from "../replicas/replica.ts";
import { type BatchedAttempt, startBatch } from "./batched.ts";
import { type Answered, type AttemptRequest, type ExchangePorts, send } from "./buffered.ts";

/** Larger records go alone, in bytes: a batch is for many small ones. */
const RECORD_BYTES_MAX = 65_536;
/** Bodies of one batch, in bytes. */
const BATCH_BYTES_MAX = 524_288;
/** A replica that did not understand a batch gets none for so long, in ms. */
const MISUNDERSTOOD_MS = 60_000;

/** Where an attempt goes. */
export interface Target {
  readonly replica: Replica;
  readonly endpoint: Endpoint;
}

/** What leaves at the end of this turn. */
interface Waiting {
  readonly attempts: Map<string, BatchedAttempt>;
  bytes: number;
}

/** Sends attempts: as batches where the replica said that it takes them, else one by one. */
export class Batches {
  readonly #ports: ExchangePorts;
  readonly #isSuspect: (key: string) => boolean;
  /** Lines that a replica takes at once; absent where it takes none. */
  readonly #sizes: WeakMap<Replica, number> = new WeakMap();
  readonly #misunderstoodMs: WeakMap<Replica, number> = new WeakMap();
  readonly #waiting: Map<Replica, Waiting> = new Map();

  /** @param isSuspect whether a record's last attempt was reset: it goes alone, so that it cannot break others' batch. */
  constructor(ports: ExchangePorts, isSuspect: (key: string) => boolean) {
    this.#ports = ports;
    this.#isSuspect = isSuspect;
  }

  /** A replica's answer says whether it takes batches. @param offer its `Ackpool-Batch`. */
  learn(replica: Replica, offer: string | undefined): void {
    const lines = batchSizeOf(offer);
    const silent = monotonicMs() < (this.#misunderstoodMs.get(replica) ?? 0) + MISUNDERSTOOD_MS;
    if (lines < 2 || silent) this.#sizes.delete(replica);
    else this.#sizes.set(replica, lines);
  }

  /**
   * Sends one attempt. It never waits for others: a batch is what is there when this turn of the event loop ends.
   *
   * @throws {AttemptAbandoned} when its signal fired.
   */
  send(target: Target, attempt: AttemptRequest): Promise<Answered> {
    const most = this.#sizes.get(target.replica);
    const key = attempt.headers[RequestHeader.idempotencyKey];
    if (most === undefined) return send(this.#ports, target.endpoint, attempt);
    if (key === undefined || !this.#mayShare(key, attempt)) return this.#alone(target, attempt);
    return new Promise((resolve, reject) => {
      this.#add(target, key, { attempt, resolve, reject }, most);
    });
  }

  #mayShare(key: string, { method, path, body }: AttemptRequest): boolean {
    const usual = method === undefined && path === undefined;
    return usual && (body?.length ?? 0) <= RECORD_BYTES_MAX && !this.#isSuspect(key);
  }

  #add(target: Target, key: string, batched: BatchedAttempt, most: number): void {
    const { replica } = target;
    const bytes = batched.attempt.body?.length ?? 0;
    const before = this.#waiting.get(replica);
    if (before !== undefined && (before.attempts.has(key) || before.bytes + bytes > BATCH_BYTES_MAX)) {
      this.#leave(target);
    }
    let waiting = this.#waiting.get(replica);
    if (waiting === undefined) {
      this.#waiting.set(replica, waiting = { attempts: new Map(), bytes: 0 });
      queueMicrotask(() => this.#waiting.get(replica) === waiting && this.#leave(target));
    }
    waiting.attempts.set(key, batched);
    waiting.bytes += bytes;
    if (waiting.attempts.size >= most) this.#leave(target);
  }

  #leave(target: Target): void {
    const { replica, endpoint } = target;
    const { attempts } = this.#waiting.get(replica) ?? { attempts: new Map<string, BatchedAttempt>() };
    this.#waiting.delete(replica);
    const [first] = attempts.values();
    if (first !== undefined && attempts.size === 1) return this.#instead(target, first);
    startBatch(this.#ports, endpoint, attempts, (batched) => {
      this.#misunderstoodMs.set(replica, monotonicMs());
      this.#sizes.delete(replica);
      this.#instead(target, batched);
    });
  }

  /** Sends an attempt of a batch alone. */
  #instead(target: Target, { attempt, resolve, reject }: BatchedAttempt): void {
    this.#alone(target, attempt).then(resolve, reject);
  }

  /** A success without the offer comes from a worker that takes none any more; a failure may come from anything between. */
  async #alone({ replica, endpoint }: Target, attempt: AttemptRequest): Promise<Answered> {
    const answered = await send(this.#ports, endpoint, attempt);
    const { outcome, headers } = answered;
    const succeeded = outcome.kind === "answer" && outcome.status < 300;
    if (succeeded && headers[BATCH_HEADER] === undefined) this.learn(replica, undefined);
    return answered;
  }
}
