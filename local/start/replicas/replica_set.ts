// The replicas of `start`: as many as asked for, one DNS name for those that take work, a pause after a crash.

import type { ChildFailedError } from "../../processes/child.ts";
import { RestartPause } from "../../processes/restart_pause.ts";
import { Replica, type ReplicaPorts, type ReplicaProcess, type ReplicaState } from "./replica.ts";

/** What a set of replicas needs. */
export interface ReplicaSetPorts extends Pick<ReplicaPorts, "nowMs" | "later" | "graceMs"> {
  readonly spawn: (number: number) => ReplicaProcess;
  /** Called with the replicas that take work whenever they have changed. */
  readonly publish: (places: readonly ReplicaPlace[]) => void;
  readonly onUp: (number: number, tookMs: number) => void;
  /** One ended unasked; `listened` is false for one that never came up. */
  readonly onCrash: (why: ChildFailedError, pauseMs: number, listened: boolean) => void;
}

/** Where a replica takes work. */
export interface ReplicaPlace {
  readonly number: number;
  readonly port: number;
}

/**
 * The replicas of `start`: as many as asked for, one DNS name for those that take work, a pause after a crash.
 * `scaleTo()` again and again: what cannot be started now is started by a later call.
 */
export class ReplicaSet {
  readonly #max: number;
  readonly #ports: ReplicaSetPorts;
  #replicas: Replica[] = [];
  readonly #pause = new RestartPause();
  #notBeforeMs = -Infinity;
  #ending = false;

  /** @param max most processes at once, those that are stopping included. */
  constructor(max: number, ports: ReplicaSetPorts) {
    this.#max = max;
    this.#ports = ports;
  }

  /** How many are in one of these states. */
  count(...states: readonly ReplicaState[]): number {
    return this.#in(...states).length;
  }

  /** Starts what is missing and takes out what is too many. */
  scaleTo(wanted: number): void {
    const [active, leaving] = [this.#in("starting", "up"), this.#in("leaving")];
    for (let missing = wanted - active.length; missing > 0; missing--) {
      const back = leaving.shift();
      if (back !== undefined) back.stay();
      else if (!this.#startOne()) break;
    }
    // The youngest go first: those that are not up yet, then those with the highest numbers.
    const going = [...this.#in("starting"), ...this.#in("up").reverse()];
    for (const replica of going.slice(0, Math.max(0, active.length - wanted))) replica.leave();
  }

  /** Stops all of them and starts no other. */
  async stop(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#replicas.map((replica) => replica.stop()));
  }

  /** Ends all of them at once and starts no other. */
  kill(): void {
    this.#ending = true;
    this.#replicas.forEach((replica) => replica.kill());
  }

  #in(...states: readonly ReplicaState[]): Replica[] {
    return this.#replicas.filter(({ state }) => states.includes(state)).sort((a, b) => a.number - b.number);
  }

  /** Starts 1, 2, 4 … at a time, so that the first replica gets the CPU to itself. */
  #startOne(): boolean {
    const due = this.count("starting") < Math.max(1, this.count("up"));
    const paused = this.#ports.nowMs() < this.#notBeforeMs;
    if (!due || paused || this.#ending || this.#replicas.length >= this.#max) return false;
    const taken = new Set(this.#replicas.map(({ number }) => number));
    const numbers = Array.from({ length: this.#max }, (_, at) => at + 1);
    const number = numbers.find((each) => !taken.has(each)) ?? this.#max;
    this.#replicas.push(
      new Replica(number, this.#ports.spawn(number), {
        ...this.#ports,
        onUp: (replica, tookMs) => this.#ports.onUp(replica.number, tookMs),
        onChange: () => this.#changed(),
        onCrash: (replica, why, ranMs) => this.#crashed(replica, why, ranMs),
      }),
    );
    return true;
  }

  #changed(): void {
    this.#replicas = this.#replicas.filter(({ state }) => state !== "gone");
    this.#ports.publish(
      this.#in("up").flatMap(({ number, port }) => port === undefined ? [] : [{ number, port }]),
    );
  }

  #crashed(replica: Replica, why: ChildFailedError, ranMs: number): void {
    const pauseMs = this.#pause.after(ranMs);
    this.#notBeforeMs = this.#ports.nowMs() + pauseMs;
    this.#ports.onCrash(why, pauseMs, replica.port !== undefined);
  }
}
