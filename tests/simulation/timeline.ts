// Virtual time: what happens when, in an order that only the schedule decides.

interface Entry {
  readonly atMs: number;
  readonly turn: number;
  readonly happen: () => void;
}

/** A clock that jumps from one event to the next. */
export class Timeline {
  readonly #heap: Entry[] = [];
  #turns = 0;
  #nowMs = 1000;

  /** Now, in ms. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Whether nothing will ever happen again. */
  get over(): boolean {
    return this.#heap.length === 0;
  }

  /** When something happens next, in ms. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Infinity;
  }

  /** Something happens in `waitMs`; equal times keep the order they were asked in. */
  after(waitMs: number, happen: () => void): void {
    this.at(this.#nowMs + Math.max(0, Math.round(waitMs)), happen);
  }

  /** Something happens at a time, in ms; now where that has passed. */
  at(atMs: number, happen: () => void): void {
    const entry = { atMs: Math.max(this.#nowMs, atMs), turn: this.#turns++, happen };
    let at = this.#heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || !before(entry, above)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = entry;
  }

  /** Lets the next thing happen. */
  step(): void {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return;
    if (this.#heap.length > 0) this.#sink(last);
    this.#nowMs = first.atMs;
    first.happen();
  }

  #sink(entry: Entry): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = this.#heap[child];
      const right = this.#heap[child + 1];
      if (left === undefined) break;
      if (right !== undefined && before(right, left)) child += 1;
      const least = this.#heap[child];
      if (least === undefined || !before(least, entry)) break;
      this.#heap[at] = least;
      at = child;
    }
    this.#heap[at] = entry;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.turn < b.turn);
}
