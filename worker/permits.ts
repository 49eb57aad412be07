// Permits: how many requests may run at once, and for whom some are kept free.

/** Who asks: the consumer for a record, or a person. */
export type Caller = "delivery" | "ad_hoc";

/**
 * Permits without a queue: a request that gets none is refused at once. Consumer and ingress have a pool each and know nothing
 * of one another, so what is reserved for people is kept here, where both meet.
 */
export class Permits {
  readonly #all: { readonly max: number; readonly reserved: number };
  #max: number;
  #reserved: number;
  readonly #running: Record<Caller, number> = { delivery: 0, ad_hoc: 0 };
  #idle: (() => void)[] = [];

  /** @param reserved ad-hoc calls that run on top of `max` while deliveries have all of those. */
  constructor(max: number, reserved: number) {
    this.#all = { max, reserved };
    this.#max = max;
    this.#reserved = reserved;
  }

  /** Keeps this isolate's share, one at least, where several of a process serve the same port. What runs goes on. */
  divideAmong(isolates: number): void {
    this.#max = Math.max(1, Math.floor(this.#all.max / isolates));
    this.#reserved = Math.ceil(this.#all.reserved / isolates);
  }

  /** Requests running now, those whose caller has gone away included. */
  get inFlight(): number {
    return this.#running.delivery + this.#running.ad_hoc;
  }

  /** Takes one; false when there is none for this caller. */
  take(caller: Caller): boolean {
    if (!this.#hasRoom(caller)) return false;
    this.#running[caller]++;
    return true;
  }

  /** Gives one back. */
  give(caller: Caller): void {
    this.#running[caller]--;
    if (this.inFlight > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when nothing is in flight. */
  idle(): Promise<void> {
    return this.inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #hasRoom(caller: Caller): boolean {
    switch (caller) {
      case "delivery":
        // All of `max` are for deliveries as long as people need no more than what is theirs.
        return this.#running.delivery < this.#max && this.inFlight < this.#max + this.#reserved;
      case "ad_hoc":
        return this.inFlight < this.#max || this.#running.ad_hoc < this.#reserved;
      default:
        return caller satisfies never;
    }
  }
}
