// DueQueue: a binary heap of items with a time each; what is due first comes first.

interface Entry<T> {
  readonly dueMs: number;
  /** Order of insertion; keeps equal times first in, first out, and so deterministic. */
  readonly turn: number;
  readonly item: T;
}

/** Items ordered by the time they are due. Push and take cost O(log n). */
export class DueQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #turns = 0;

  /** How many wait. */
  get length(): number {
    return this.#heap.length;
  }

  /** When the first one is due, in ms; undefined when nothing waits. */
  get nextMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  /** What is due first, without taking it. */
  peek(): T | undefined {
    return this.#heap[0]?.item;
  }

  /** Adds an item that is due at `dueMs`. */
  push(dueMs: number, item: T): void {
    this.#heap.push({ dueMs, turn: this.#turns++, item });
    this.#rise(this.#heap.length - 1);
  }

  /** Takes the first item that is due at `nowMs`; undefined when none is. */
  takeDue(nowMs: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first.item;
  }

  /** Forgets the items that are not to be kept. O(n). */
  retain(keep: (item: T) => boolean): void {
    const kept = this.#heap.filter(({ item }) => keep(item));
    if (kept.length === this.#heap.length) return;
    this.#heap.length = 0;
    for (const entry of kept) {
      this.#heap.push(entry);
      this.#rise(this.#heap.length - 1);
    }
  }

  #before(left: number, right: number): boolean {
    const a = this.#heap[left];
    const b = this.#heap[right];
    if (a === undefined || b === undefined) return a !== undefined;
    return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.turn < b.turn);
  }

  #swap(left: number, right: number): void {
    const a = this.#heap[left];
    const b = this.#heap[right];
    if (a === undefined || b === undefined) return;
    this.#heap[left] = b;
    this.#heap[right] = a;
  }

  #rise(index: number): void {
    for (let at = index; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(index: number): void {
    for (let at = index;;) {
      const left = 2 * at + 1;
      const least = this.#before(left + 1, left) ? left + 1 : left;
      if (!this.#before(least, at)) return;
      this.#swap(least, at);
      at = least;
    }
  }
}
