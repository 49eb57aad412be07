// Queue of calls that wait for a permit: first come, first served, and bounded.

/** Bounds of the queue in calls and in time. */
export interface WaitQueueBounds {
  /** Calls that wait at most. */
  readonly placesMax: number;
  /** How long a call waits while all replicas are full, in ms from its arrival. */
  readonly patienceMs: number;
  /** How long it waits while there is no replica at all, in ms from its arrival. */
  readonly wakeMs: number;
}

/** Capacity of the pool behind the queue. */
export interface Capacity {
  /** Whether a replica would take a call now. */
  readonly isFree: () => boolean;
  /** Whether there is no replica at all. */
  readonly isEmpty: () => boolean;
}

/** A call in the queue. */
export interface Arrival {
  /** By `performance.now()`. */
  readonly arrivedMs: number;
  /** Its caller has gone. */
  readonly signal: AbortSignal;
  /** A retry after a replica refused it: goes to the front and ignores the queue's bound. */
  readonly again: boolean;
}

/** How a call's wait ended. */
export type Admittance<T> =
  | { readonly kind: "started"; readonly value: T }
  | { readonly kind: "queue_full" | "still_full" | "no_replica" | "gone" };

interface Waiting {
  readonly arrival: Arrival;
  readonly start: () => void;
  readonly leave: (why: "still_full" | "no_replica" | "gone") => void;
}

/** First come, first served. {@link advance} is to be called when permits have changed. */
export class WaitQueue {
  readonly #bounds: WaitQueueBounds;
  readonly #capacity: Capacity;
  readonly #waiting: Waiting[] = [];

  constructor(bounds: WaitQueueBounds, capacity: Capacity) {
    this.#bounds = bounds;
    this.#capacity = capacity;
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** When the first of them arrived, by `performance.now()`; undefined where none waits. */
  get oldestMs(): number | undefined {
    return this.#waiting.length === 0
      ? undefined
      : Math.min(...this.#waiting.map(({ arrival }) => arrival.arrivedMs));
  }

  /**
   * Calls `start` when it is this call's turn. `start` has to take its permit before it returns.
   *
   * @param nowMs by `performance.now()`.
   */
  join<T>(arrival: Arrival, nowMs: number, start: () => T): Promise<Admittance<T>> {
    const leave = this.#reasonToLeave(arrival, nowMs);
    // Replicas that say they are free may refuse a call again and again: its time limit still ends it.
    if (arrival.again && leave !== undefined) return Promise.resolve({ kind: leave });
    if ((arrival.again || this.#waiting.length === 0) && this.#capacity.isFree()) {
      return Promise.resolve({ kind: "started", value: start() });
    }
    if (!arrival.again && this.#waiting.length >= this.#bounds.placesMax) {
      return Promise.resolve({ kind: "queue_full" });
    }
    return this.#wait(arrival, nowMs, start);
  }

  /** Starts as many as there are permits for. */
  advance(): void {
    while (this.#waiting.length > 0 && this.#capacity.isFree()) this.#waiting.shift()?.start();
  }

  #wait<T>(arrival: Arrival, nowMs: number, start: () => T): Promise<Admittance<T>> {
    const { promise, resolve } = Promise.withResolvers<Admittance<T>>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const gone = () => waiting.leave("gone");
    const settle = (admittance: Admittance<T>) => {
      clearTimeout(timer);
      arrival.signal.removeEventListener("abort", gone);
      resolve(admittance);
    };
    const waiting: Waiting = {
      arrival,
      start: () => settle({ kind: "started", value: start() }),
      leave: (kind) => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        settle({ kind });
      },
    };
    const { patienceMs, wakeMs } = this.#bounds;
    const waitedMs = nowMs - arrival.arrivedMs;
    timer = setTimeout(() => {
      if (!this.#capacity.isEmpty()) return waiting.leave("still_full");
      const leave = () => waiting.leave(this.#capacity.isEmpty() ? "no_replica" : "still_full");
      timer = setTimeout(leave, wakeMs - Math.max(patienceMs, waitedMs));
    }, patienceMs - waitedMs);
    this.#waiting.splice(this.#placeOf(arrival), 0, waiting);
    arrival.signal.addEventListener("abort", gone, { once: true });
    if (arrival.signal.aborted) gone();
    return promise;
  }

  /** At the end; a retry goes behind earlier retries only. */
  #placeOf({ again, arrivedMs }: Arrival): number {
    const behind = this.#waiting.findIndex(({ arrival }) => !arrival.again || arrival.arrivedMs > arrivedMs);
    return again && behind >= 0 ? behind : this.#waiting.length;
  }

  #reasonToLeave({ arrivedMs }: Arrival, nowMs: number): "still_full" | "no_replica" | undefined {
    const waitedMs = nowMs - arrivedMs;
    if (this.#capacity.isEmpty()) return waitedMs >= this.#bounds.wakeMs ? "no_replica" : undefined;
    return waitedMs >= this.#bounds.patienceMs ? "still_full" : undefined;
  }
}
