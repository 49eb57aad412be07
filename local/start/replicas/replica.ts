// One replica of `start`, from start to end: in DNS once it listens, out of DNS before it is stopped.

import type { ChildFailedError } from "../../processes/child.ts";

/** What is needed of a replica's process. */
export interface ReplicaProcess {
  /** Resolves with its port once it listens; rejects when it ends before. */
  readonly listening: Promise<number>;
  readonly ended: Promise<Deno.CommandStatus>;
  readonly stop: (graceMs: number) => Promise<void>;
  readonly kill: () => void;
  readonly failure: (status: Deno.CommandStatus) => ChildFailedError;
}

/**
 * `starting` → `up` → `leaving` (out of DNS, still serving callers that have not looked it up again) → `stopping` → `gone`.
 * One that is leaving may come back up; one that ends unasked is gone at once.
 */
export type ReplicaState = "starting" | "up" | "leaving" | "stopping" | "gone";

/** What a replica needs. */
export interface ReplicaPorts {
  readonly nowMs: () => number;
  /** Calls back after a while, unless it is cancelled. */
  readonly later: (ms: number, callBack: () => void) => () => void;
  /** Time for what is in flight when it stops, in ms. */
  readonly graceMs: number;
  readonly onUp: (replica: Replica, tookMs: number) => void;
  /** Its state has changed; called after `onUp`. */
  readonly onChange: () => void;
  /** It ended unasked. */
  readonly onCrash: (replica: Replica, why: ChildFailedError, ranMs: number) => void;
}

/**
 * How long a replica that has left DNS still serves, in ms: pools look names up every 3 s
 * (shared/pool/discovery/lookup_loop.ts), and a busy machine may be late.
 */
export const LEAVING_MS = 6000;

/** One replica of `start`, from start to end: in DNS once it listens, out of DNS before it is stopped. */
export class Replica {
  readonly number: number;
  readonly #process: ReplicaProcess;
  readonly #ports: ReplicaPorts;
  readonly #startedMs: number;
  #state: ReplicaState = "starting";
  #port: number | undefined;
  #cancel: () => void = () => {};
  #stopped: Promise<void> | undefined;

  constructor(number: number, process: ReplicaProcess, ports: ReplicaPorts) {
    this.number = number;
    this.#process = process;
    this.#ports = ports;
    this.#startedMs = ports.nowMs();
    process.listening.then((port) => this.#listens(port), () => {});
    process.ended.then((status) => this.#ended(status));
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** Where it listens; undefined before it does. */
  get port(): number | undefined {
    return this.#port;
  }

  /** Takes it out of DNS; it is stopped once nobody can be sending to it. */
  leave(): void {
    if (this.#state === "starting") return void this.stop();
    if (this.#state !== "up") return;
    this.#become("leaving");
    this.#cancel = this.#ports.later(LEAVING_MS, () => this.stop());
  }

  /** Takes one that is leaving back. */
  stay(): void {
    if (this.#state !== "leaving") return;
    this.#cancel();
    this.#become("up");
  }

  /** Stops it; what it has in flight is finished within the grace. May be called twice. */
  stop(): Promise<void> {
    this.#cancel();
    if (this.#state !== "gone") this.#become("stopping");
    return this.#stopped ??= this.#process.stop(this.#ports.graceMs);
  }

  /** Ends it at once. */
  kill(): void {
    this.#cancel();
    if (this.#state !== "gone") this.#become("stopping");
    this.#process.kill();
  }

  #listens(port: number): void {
    if (this.#state !== "starting") return;
    this.#port = port;
    this.#state = "up";
    this.#ports.onUp(this, this.#ports.nowMs() - this.#startedMs);
    this.#ports.onChange();
  }

  #ended(status: Deno.CommandStatus): void {
    const asked = this.#state === "stopping";
    this.#cancel();
    this.#become("gone");
    if (asked) return;
    this.#ports.onCrash(this, this.#process.failure(status), this.#ports.nowMs() - this.#startedMs);
  }

  #become(state: ReplicaState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#ports.onChange();
  }
}
