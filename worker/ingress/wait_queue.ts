// The line of calls that wait for a permit: first come, first served, bounded, and moved on by what changes.

/** How long the line may be, and how long a call stands in it. */
export interface LineBounds {
  /** Calls that wait at most. */
  readonly placesMax: number;
  /** How long a call waits while all replicas are full, in ms from its arrival. */
  readonly patienceMs: number;
  /** How long it waits while there is no replica at all, in ms from its arrival. */
  readonly wakeMs: number;
}

/** What the line is in front of. */
export interface Counter {
  /** Whether a replica would take a call now. */
  readonly isFree: () => boolean;
  /** Whether there is no replica at all. */
  readonly isEmpty: () => boolean;
}

/** A call in the line. */
export interface Arrival {
  /** By `performance.now()`. */
  readonly arrivedMs: number;
  /** Its caller has gone. */
  readonly signal: AbortSignal;
  /** It had its turn and was turned away: it is the next one, whatever the line's bound. */
  readonly again: boolean;
}

/** What came of standing in line. */
export type Turn<T> =
  | { readonly kind: "started"; readonly value: T }
  | { readonly kind: "line_full" | "still_full" | "no_replica" | "gone" };

interface Waiting {
  readonly arrival: Arrival;
  readonly start: () => void;
  readonly leave: (why: "still_full" | "no_replica" | "gone") => void;
}

/**
 * A bounded queue of calls that wait for a permit, first come, first served.
 * Whoever learns that permits have changed calls {@link advance}.
 */
export class Line {
  readonly #bounds: LineBounds;
  readonly #counter: Counter;
  readonly #waiting: Waiting[] = [];

  constructor(bounds: LineBounds, counter: Counter) {
    this.#bounds = bounds;
    this.#counter = counter;
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
   * Calls `start` in this call's turn. It has to take its permit before it returns.
   *
   * @param nowMs by `performance.now()`.
   */
  join<T>(arrival: Arrival, nowMs: number, start: () => T): Promise<Turn<T>> {
    const leave = this.#reasonToLeave(arrival, nowMs);
    // A call that was turned away in time comes here again and again as long as replicas say they are free.
    if (arrival.again && leave !== undefined) return Promise.resolve({ kind: leave });
    if ((arrival.again || this.#waiting.length === 0) && this.#counter.isFree()) {
      return Promise.resolve({ kind: "started", value: start() });
    }
    if (!arrival.again && this.#waiting.length >= this.#bounds.placesMax) {
      return Promise.resolve({ kind: "line_full" });
    }
    return this.#wait(arrival, nowMs, start);
  }

  /** Starts as many as there are permits for. */
  advance(): void {
    while (this.#waiting.length > 0 && this.#counter.isFree()) this.#waiting.shift()?.start();
  }

  #wait<T>(arrival: Arrival, nowMs: number, start: () => T): Promise<Turn<T>> {
    const { promise, resolve } = Promise.withResolvers<Turn<T>>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const gone = () => waiting.leave("gone");
    const settle = (turn: Turn<T>) => {
      clearTimeout(timer);
      arrival.signal.removeEventListener("abort", gone);
      resolve(turn);
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
      if (!this.#counter.isEmpty()) return waiting.leave("still_full");
      const leave = () => waiting.leave(this.#counter.isEmpty() ? "no_replica" : "still_full");
      timer = setTimeout(leave, wakeMs - Math.max(patienceMs, waitedMs));
    }, patienceMs - waitedMs);
    this.#waiting.splice(this.#placeOf(arrival), 0, waiting);
    arrival.signal.addEventListener("abort", gone, { once: true });
    if (arrival.signal.aborted) gone();
    return promise;
  }

  /** Behind all others; who had a turn already, only behind those who did, too, and came before. */
  #placeOf({ again, arrivedMs }: Arrival): number {
    const behind = this.#waiting.findIndex(({ arrival }) => !arrival.again || arrival.arrivedMs > arrivedMs);
    return again && behind >= 0 ? behind : this.#waiting.length;
  }

  #reasonToLeave({ arrivedMs }: Arrival, nowMs: number): "still_full" | "no_replica" | undefined {
    const waitedMs = nowMs - arrivedMs;
    if (this.#counter.isEmpty()) return waitedMs >= this.#bounds.wakeMs ? "no_replica" : undefined;
    return waitedMs >= this.#bounds.patienceMs ? "still_full" : undefined;
  }
}
