// RangeMap: a value for ranges of offsets, the latest one counting; a range of a million costs as much as one of a few.

/** Offsets from `first` to `last`, both inclusive. */
interface Marked<T> {
  readonly first: number;
  readonly last: number;
  readonly value: T;
}

/** Ranges of one partition, in order and apart from each other. */
export class RangeMap<T> {
  #ranges: Marked<T>[] = [];

  /** Sets the value of these offsets. */
  set(first: number, last: number, value: T): void {
    if (first > last) return;
    const end = this.#ranges.at(-1);
    if (end === undefined || first > end.last) return this.#append({ first, last, value });
    const kept = this.#ranges.flatMap((range) => [
      ...(range.first < first ? [{ ...range, last: Math.min(range.last, first - 1) }] : []),
      ...(range.last > last ? [{ ...range, first: Math.max(range.first, last + 1) }] : []),
    ]);
    this.#ranges = [];
    for (const range of [...kept, { first, last, value }].sort((a, b) => a.first - b.first)) {
      this.#append(range);
    }
  }

  /** The value that an offset got last; undefined where it got none. */
  get(offset: number): T | undefined {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.last ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    const range = this.#ranges[low];
    return range !== undefined && range.first <= offset ? range.value : undefined;
  }

  #append(range: Marked<T>): void {
    const end = this.#ranges.at(-1);
    if (end !== undefined && end.last + 1 === range.first && end.value === range.value) {
      this.#ranges[this.#ranges.length - 1] = { ...end, last: range.last };
    } else this.#ranges.push(range);
  }
}
