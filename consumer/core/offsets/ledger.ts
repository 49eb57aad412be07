// Ledger: the received offsets of a partition in order, which of them are settled, and so what may be committed.

/** What a walk over a ledger meets, in order of offsets. */
export interface LedgerVisitor<T> {
  /** Every record received from offset `first` to offset `last`, both inclusive, is settled. */
  settled(first: number, last: number): void;
  unsettled(offset: number, item: T): void;
}

/** An unsettled record's place in its ledger. */
export class LedgerEntry<T> {
  readonly offset: number;
  /** Undefined once the record is settled. */
  item: T | undefined;
  previous: LedgerEntry<T> | undefined;
  next: LedgerEntry<T> | undefined;
  /** The settled records between this one and the next: the offsets of the first and the last; -1 where there are none. */
  runFirst = -1;
  runLast = -1;
  /** It is on its way. */
  started = false;

  constructor(offset: number, item: T | undefined, previous: LedgerEntry<T> | undefined) {
    this.offset = offset;
    this.item = item;
    this.previous = previous;
  }
}

/**
 * Tracks received offsets only, so the gaps that compaction and transaction markers leave are harmless. Unsettled
 * records form a list; the settled ones between two of them are a run of two numbers, however many they are. So memory
 * grows with what is unsettled only, and one record that never settles costs the same however far the others go on.
 */
export class Ledger<T extends object> {
  /** Stands before the first unsettled record. */
  readonly #start: LedgerEntry<T> = new LedgerEntry<T>(-1, undefined, undefined);
  #last: LedgerEntry<T> = this.#start;
  #position: number;
  #unsettled = 0;
  #runs = 0;
  #started = 0;
  /** One past the last offset that was settled or sent: from here on there is nothing to put into a map. */
  #startedEnd = 0;

  /** @param position the offset that will be fetched first. */
  constructor(position: number) {
    this.#position = position;
  }

  /** The next offset to fetch: everything below it was received. */
  get position(): number {
    return this.#position;
  }

  /** Offsets from the watermark to the position. */
  get span(): number {
    return this.#position - this.committable();
  }

  /** Received records that are not settled. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Runs of settled records above the watermark: what the offset map has to say. */
  get runs(): number {
    return this.#runs;
  }

  /** Records on their way: each may have to be named with its attempts. */
  get started(): number {
    return this.#started;
  }

  /** What the offset map says now or may have to say soon: runs, and records on their way. */
  get mapEntries(): number {
    return this.#runs + this.#started;
  }

  /**
   * The watermark: the offset below which every received record is settled. With nothing unsettled it is the
   * fetch position, so that lag reads 0 past compaction gaps and control records.
   */
  committable(): number {
    return this.#start.next?.offset ?? this.#position;
  }

  /** The unsettled record that holds the watermark. */
  first(): T | undefined {
    return this.#start.next?.item;
  }

  /** The unsettled record at an offset; undefined where there is none. O(n): for people who ask. */
  find(offset: number): T | undefined {
    let entry = this.#start.next;
    while (entry !== undefined && entry.offset < offset) entry = entry.next;
    return entry?.offset === offset ? entry.item : undefined;
  }

  /** Notes a record as received; the entry is what {@link settle} takes. Offsets must grow. */
  receive(offset: number, item: T): LedgerEntry<T> {
    this.#moveTo(offset);
    const entry = new LedgerEntry(offset, item, this.#last);
    this.#last.next = entry;
    this.#last = entry;
    this.#unsettled += 1;
    return entry;
  }

  /** Notes a record that an earlier owner already settled. */
  receiveSettled(offset: number): void {
    this.#moveTo(offset);
    const before = this.#last;
    if (before === this.#start) return;
    if (before.runFirst < 0) {
      before.runFirst = offset;
      this.#runs += 1;
    }
    before.runLast = offset;
    this.#startedEnd = offset + 1;
  }

  /** Everything below `position` was received: control records and gaps at the end are passed by it. */
  advance(position: number): void {
    if (position > this.#position) this.#position = position;
  }

  /** A record is on its way: from now on the map may have to name it. */
  markStarted(entry: LedgerEntry<T>): void {
    if (entry.started) return;
    entry.started = true;
    this.#started += 1;
    if (entry.offset >= this.#startedEnd) this.#startedEnd = entry.offset + 1;
  }

  /** Settles a record; false when it was settled before. */
  settle(entry: LedgerEntry<T>): boolean {
    const { previous, next } = entry;
    if (entry.item === undefined || previous === undefined) return false;
    this.markStarted(entry);
    entry.item = undefined;
    this.#started -= 1;
    this.#unsettled -= 1;
    this.#join(previous, entry);
    previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    entry.previous = entry.next = undefined;
    return true;
  }

  /** Visits what there is from the watermark to the last record that was sent or settled. */
  walk(visitor: LedgerVisitor<T>): void {
    for (let entry = this.#start.next; entry !== undefined; entry = entry.next) {
      if (entry.offset >= this.#startedEnd) return;
      if (entry.item !== undefined) visitor.unsettled(entry.offset, entry.item);
      if (entry.runFirst >= 0) visitor.settled(entry.runFirst, entry.runLast);
    }
  }

  /** The settled record and the run behind it join the run before it; below the watermark nothing is kept. */
  #join(previous: LedgerEntry<T>, { offset, runFirst, runLast }: LedgerEntry<T>): void {
    if (runFirst >= 0) this.#runs -= 1;
    if (previous === this.#start) return;
    if (previous.runFirst < 0) {
      previous.runFirst = offset;
      this.#runs += 1;
    }
    previous.runLast = runFirst < 0 ? offset : runLast;
  }

  #moveTo(offset: number): void {
    if (offset < this.#position) {
      throw new RangeError(`Offsets must grow: received ${offset} at position ${this.#position}`);
    }
    this.#position = offset + 1;
  }
}
