// One partition's received records in order, which of them are settled, and so what may be committed.

/**
 * Tracks received offsets only, so the gaps that compaction and transaction markers leave are harmless.
 * `T` is what stands for an unsettled record; it is let go as soon as the record is settled.
 */
export class Ledger<T extends object> {
  #offsets = new Float64Array(64);
  /** The item while it is unsettled, undefined once it is settled. */
  #items: (T | undefined)[] = new Array(64);
  /** Sequence number of the first record at or above the watermark. Sequence numbers have no gaps. */
  #head = 0;
  #tail = 0;
  #position: number;
  #unsettled = 0;
  #runs = 0;
  /** One past the last record that was settled or sent: behind it the ledger has nothing to tell. */
  #touched = 0;

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
    this.touch(seq);
    if (!this.#isSettled(seq - 1)) this.#runs += 1;
  }

  /** Everything below `position` was received: control records and gaps at the end are passed by it. */
  advance(position: number): void {
    if (position > this.#position) this.#position = position;
  }

  /** Notes that a record is on its way: from now on there may be something to tell about it. */
  touch(seq: number): void {
    if (seq >= this.#touched) this.#touched = seq + 1;
  }

  /** Settles a record; false when it was settled before. */
  settle(seq: number): boolean {
    if (seq < this.#head || seq >= this.#tail || this.#isSettled(seq)) return false;
    this.touch(seq);
    this.#items[seq & this.#mask] = undefined;
    this.#unsettled -= 1;
    const left = seq > this.#head && this.#isSettled(seq - 1);
    const right = seq + 1 < this.#tail && this.#isSettled(seq + 1);
    this.#runs += left && right ? -1 : left || right ? 0 : 1;
    if (seq === this.#head) this.#advanceHead();
    return true;
  }

  /** Visits the records from the watermark to the last one that was sent or settled, in order. */
  forEach(visit: (offset: number, item: T | undefined) => void): void {
    for (let seq = this.#head; seq < this.#touched; seq++) {
      visit(this.#offsetAt(seq), this.#items[seq & this.#mask]);
    }
  }

  get #mask(): number {
    return this.#items.length - 1;
  }

  #offsetAt(seq: number): number {
    return this.#offsets[seq & this.#mask] ?? NaN;
  }

  #isSettled(seq: number): boolean {
    return this.#items[seq & this.#mask] === undefined;
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

  #advanceHead(): void {
    this.#runs -= 1;
    while (this.#head < this.#tail && this.#isSettled(this.#head)) this.#head += 1;
  }

  #grow(): void {
    const size = this.#items.length * 2;
    const offsets = new Float64Array(size);
    const items: (T | undefined)[] = new Array(size);
    for (let seq = this.#head; seq < this.#tail; seq++) {
      offsets[seq & (size - 1)] = this.#offsetAt(seq);
      items[seq & (size - 1)] = this.#items[seq & this.#mask];
    }
    this.#offsets = offsets;
    this.#items = items;
  }
}
