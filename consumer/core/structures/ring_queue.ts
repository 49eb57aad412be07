// RingQueue: first in, first out, on a ring: taking from the front costs the same however long it is.

/** FIFO queue with amortised constant cost. */
export class RingQueue<T> {
  #ring: (T | undefined)[] = new Array(16);
  #head = 0;
  #length = 0;

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds at the back. */
  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item;
    this.#length += 1;
  }

  /** What would be taken next, without taking it. */
  peek(): T | undefined {
    return this.at(0);
  }

  /** What would be taken after so many others, without taking it. */
  at(index: number): T | undefined {
    return index < this.#length ? this.#ring[(this.#head + index) & (this.#ring.length - 1)] : undefined;
  }

  /** Takes from the front; undefined when nothing waits. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    return item;
  }

  #grow(): void {
    const larger: (T | undefined)[] = new Array(this.#ring.length * 2);
    for (let index = 0; index < this.#length; index++) {
      larger[index] = this.#ring[(this.#head + index) & (this.#ring.length - 1)];
    }
    this.#ring = larger;
    this.#head = 0;
  }
}
