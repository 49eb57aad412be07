// The replicas of `start`: worker processes on ports of their own, each started and stopped by its number.
//
// How many run is the caller's decision. Scaling between WORKER_MIN and WORKER_MAX calls start() and stop().

import type { KeptRunning } from "./kept_running.ts";

/** One replica's place: it keeps its number and port for good, so that consumer and ingress know it beforehand. */
export interface ReplicaPlace {
  readonly number: number;
  readonly port: number;
  /** Base URL. */
  readonly url: string;
}

/** See the file's first lines. */
export class Supervisor {
  readonly places: readonly ReplicaPlace[];
  readonly #keep: (place: ReplicaPlace) => Pick<KeptRunning, "start" | "stop" | "kill">;
  readonly #running = new Map<number, Pick<KeptRunning, "start" | "stop" | "kill">>();

  /** @param ports one a place. */
  constructor(
    ports: readonly number[],
    keep: (place: ReplicaPlace) => Pick<KeptRunning, "start" | "stop" | "kill">,
  ) {
    this.places = ports.map((port, at) => ({ number: at + 1, port, url: `http://127.0.0.1:${port}` }));
    this.#keep = keep;
  }

  /** Numbers of the replicas that run or are being restarted. */
  get running(): readonly number[] {
    return [...this.#running.keys()];
  }

  /**
   * Starts the replica of a place, unless it runs.
   *
   * @throws {ChildFailedError} when it ends before it listens.
   */
  async start(number: number): Promise<void> {
    const place = this.places.find((known) => known.number === number);
    if (place === undefined) throw new RangeError(`Replica has no place: current value is ${number}`);
    if (this.#running.has(number)) return;
    const replica = this.#keep(place);
    this.#running.set(number, replica);
    try {
      await replica.start();
    } catch (error) {
      this.#running.delete(number);
      throw error;
    }
  }

  /** Stops one replica; what it has in flight gets `graceMs`. */
  async stop(number: number, graceMs: number): Promise<void> {
    const replica = this.#running.get(number);
    this.#running.delete(number);
    await replica?.stop(graceMs);
  }

  async stopAll(graceMs: number): Promise<void> {
    await Promise.all(this.running.map((number) => this.stop(number, graceMs)));
  }

  /** Ends all of them at once. */
  killAll(): void {
    for (const replica of this.#running.values()) replica.kill();
  }
}
