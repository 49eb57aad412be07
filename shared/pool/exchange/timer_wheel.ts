// The time limits of many attempts on one timer: a wheel of ticks that stands still while nothing is in flight.

/** How late a time limit may be noticed, in ms. */
export const TICK_MS = 50;

/** Something with a time limit. */
export interface Limited {
  /** The limit has passed. */
  expire(): void;
}

/** The tick at which something expires; {@link TimerWheel.remove} needs it. */
export type Tick = number;

/** Attempts by the tick at which they expire. Adding and removing take constant time. */
export class TimerWheel {
  readonly #ticks: Map<Tick, Set<Limited>> = new Map();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #count = 0;

  /** `limited` expires in `timeoutMs`, at most {@link TICK_MS} later. */
  add(limited: Limited, timeoutMs: number): Tick {
    const tick = Math.ceil((performance.now() + timeoutMs) / TICK_MS);
    const set = this.#ticks.get(tick);
    if (set === undefined) this.#ticks.set(tick, new Set([limited]));
    else set.add(limited);
    this.#count += 1;
    this.#timer ??= setTimeout(() => this.#turn(), TICK_MS);
    return tick;
  }

  /** It ended in time. */
  remove(limited: Limited, tick: Tick): void {
    const set = this.#ticks.get(tick);
    if (set === undefined || !set.delete(limited)) return;
    this.#count -= 1;
    if (set.size === 0) this.#ticks.delete(tick);
  }

  /** Nothing expires any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#ticks.clear();
    this.#count = 0;
  }

  #turn(): void {
    this.#timer = undefined;
    const now = performance.now() / TICK_MS;
    for (const [tick, set] of this.#ticks) {
      if (tick > now) continue;
      this.#ticks.delete(tick);
      this.#count -= set.size;
      for (const limited of set) limited.expire();
    }
    if (this.#count > 0) this.#timer ??= setTimeout(() => this.#turn(), TICK_MS);
  }
}
