// Ledger: the received offsets of a partition in order, which of them are settled, and so what may be committed.

/** What a walk over a ledger meets, in order of offsets. */
export interface LedgerVisitor<T> {
  /** Every record received from offset `first` to offset `last`, both inclusive, is settled. */
  settled(first: number, last: number): void;
  unsettled(offset: number, item: T): void;
}

/**
 * Tracks received offsets only, so the gaps that compaction and transaction markers leave are harmless.
 * `T` is what stands for an unsettled record; it is let go as soon as the record is settled. Settled neighbours form
 * runs whose two ends know each other, so that nothing here costs more the longer a run is.
 */
export class Ledger<T extends object> {
  #offsets = new Float64Array(64);
  /** The item while it is unsettled, undefined once it is settled. */
  #items: (T | undefined)[] = new Array(64);
  /** At either end of a run of settled records: the sequence number of its other end. */
  #otherEnds = new Float64Array(64);
  /** Sequence number of the first record at or above the watermark. Sequence numbers have no gaps. */
  #head = 0;
  #tail = 0;
  #position: number;
  #unsettled = 0;
  #runs = 0;
  /** One past the last record that was settled or sent: from here on there is nothing to put into a map. */
  #startedEnd = 0;

  /** @param position the offset that will be fetched first. */
  constructor(position: number) {
    this.#position = position;
  }

  /** The next offset to fetch: everything below it was received. */
  get position(): number {
    return this.#position;
  }

  /** Received records from the watermark on, settled or not. */
  get span(): number {
    return this.#tail - this.#head;
  }

  /** Received records that are not settled. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Runs of settled records above the watermark: what the offset map has to say. */
  get runs(): number {
    return this.#runs;
  }

  /**
   * The watermark: the offset below which every received record is settled. With nothing unsettled it is the
   * fetch position, so that lag reads 0 past compaction gaps and control records.
   */
  committable(): number {
    return this.#head === this.#tail ? this.#position : this.#offsetAt(this.#head);
  }

  /** The unsettled record that holds the watermark. */
  first(): T | undefined {
    return this.#head === this.#tail ? undefined : this.#items[this.#head & this.#mask];
  }

  /** The unsettled record at an offset; undefined where there is none. O(log n). */
  find(offset: number): T | undefined {
    let [low, high] = [this.#head, this.#tail];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetAt(middle) < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.#tail && this.#offsetAt(low) === offset ? this.#items[low & this.#mask] : undefined;
  }

  /** Notes a record as received; the sequence number is what {@link settle} takes. Offsets must grow. */
  receive(offset: number, item: T): number {
    const seq = this.#append(offset);
    this.#items[seq & this.#mask] = item;
    this.#unsettled += 1;
    return seq;
  }

  /** Notes a record that an earlier owner already settled. */
  receiveSettled(offset: number): void {
    const seq = this.#append(offset);
    if (seq === this.#head) {
      this.#head += 1;
      return;
    }
    this.markStarted(seq);
    this.#join(seq);
  }

  /** Everything below `position` was received: control records and gaps at the end are passed by it. */
  advance(position: number): void {
    if (position > this.#position) this.#position = position;
  }

  /** A record is on its way: from now on the map may have to name it. */
  markStarted(seq: number): void {
    if (seq >= this.#startedEnd) this.#startedEnd = seq + 1;
  }

  /** Settles a record; false when it was settled before. */
  settle(seq: number): boolean {
    if (seq < this.#head || seq >= this.#tail || this.#isSettled(seq)) return false;
    this.markStarted(seq);
    this.#items[seq & this.#mask] = undefined;
    this.#unsettled -= 1;
    const end = this.#join(seq);
    if (seq === this.#head) {
      this.#head = end + 1;
      this.#runs -= 1;
    }
    return true;
  }

  /** Visits what there is from the watermark to the last record that was sent or settled. */
  walk(visitor: LedgerVisitor<T>): void {
    for (let seq = this.#head; seq < this.#startedEnd; seq++) {
      const item = this.#items[seq & this.#mask];
      if (item !== undefined) {
        visitor.unsettled(this.#offsetAt(seq), item);
        continue;
      }
      const first = this.#offsetAt(seq);
      seq = this.#otherEnd(seq);
      visitor.settled(first, this.#offsetAt(seq));
    }
  }

  get #mask(): number {
    return this.#items.length - 1;
  }

  #offsetAt(seq: number): number {
    return this.#offsets[seq & this.#mask] ?? NaN;
  }

  #otherEnd(seq: number): number {
    return this.#otherEnds[seq & this.#mask] ?? NaN;
  }

  #isSettled(seq: number): boolean {
    return this.#items[seq & this.#mask] === undefined;
  }

  /** A record that has just been settled joins the runs on its left and right. Returns where its run ends. */
  #join(seq: number): number {
    const left = seq > this.#head && this.#isSettled(seq - 1);
    const right = seq + 1 < this.#tail && this.#isSettled(seq + 1);
    const start = left ? this.#otherEnd(seq - 1) : seq;
    const end = right ? this.#otherEnd(seq + 1) : seq;
    this.#otherEnds[start & this.#mask] = end;
    this.#otherEnds[end & this.#mask] = start;
    this.#runs += left && right ? -1 : left || right ? 0 : 1;
    return end;
  }

  #append(offset: number): number {
    if (offset < this.#position) {
      throw new RangeError(`Offsets must grow: received ${offset} at position ${this.#position}`);
    }
    if (this.span === this.#items.length) this.#grow();
    const seq = this.#tail++;
    this.#offsets[seq & this.#mask] = offset;
    this.#items[seq & this.#mask] = undefined;
    this.#position = offset + 1;
    return seq;
  }

  #grow(): void {
    const size = this.#items.length * 2;
    const offsets = new Float64Array(size);
    const otherEnds = new Float64Array(size);
    const items: (T | undefined)[] = new Array(size);
    for (let seq = this.#head; seq < this.#tail; seq++) {
      const at = seq & (size - 1);
      offsets[at] = this.#offsetAt(seq);
      otherEnds[at] = this.#otherEnd(seq);
      items[at] = this.#items[seq & this.#mask];
    }
    this.#offsets = offsets;
    this.#otherEnds = otherEnds;
    this.#items = items;
  }
}
