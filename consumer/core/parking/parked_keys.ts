// What one partition knows of dead letters: which keys are parked behind one, and what that means for the next record.

import type { Delivery } from "../delivery.ts";
import { DueQueue } from "../structures/due_queue.ts";

/** Where a record was read first. */
export interface Origin {
  /** `topic/partition`. */
  readonly at: string;
  readonly offset: number;
  /** For a replay: the dead letter that it was, by its offset in the dead-letter topic's partition. */
  readonly letter: number | undefined;
}

/** A dead letter, as far as parking goes. */
export interface Letter {
  /** In the dead-letter topic's partition. */
  readonly offset: number;
  /** The record's key, as the source names it. */
  readonly key: string;
  readonly origin: Origin;
  /** What it is dead-lettered for, for people; a parked one has that of what it is parked behind. */
  readonly cause: string;
}

/** The first dead letter of a key. */
export interface ParkedBehind {
  /** `topic/partition/offset`, where it was read first. */
  readonly place: string;
  readonly cause: string;
}

/** Where a replay lies in the retry topic. */
export interface ReplayPlace {
  /** `topic/partition`. */
  readonly at: string;
  readonly offset: number;
}

/** What was read in the dead-letter topic's partition, in an order in which it can be taken. */
export interface LetterUpdate {
  readonly letters: readonly Letter[];
  /** Letters that were sent to the retry topic; they are not settled there yet. */
  readonly replayed: readonly { readonly offset: number; readonly place: ReplayPlace }[];
  /** Letters that are done with: dropped, or settled as replays. */
  readonly done: readonly number[];
  /** Records that may be delivered again although they are dead letters already: told once, at the beginning. */
  readonly written: readonly Origin[];
  /** Kafka has deleted what was before this offset; absent where that is not known. */
  readonly from?: number;
  /** One past the last offset that was read. */
  readonly upTo: number;
  /** When reading began, in ms: everything that was there by then is in it. */
  readonly askedMs: number;
}

/** What becomes of a record whose turn has come. */
export type ParkingDecision =
  | { readonly kind: "send" }
  /** It is a dead letter already: whoever wrote that did not come to commit it. */
  | { readonly kind: "settled" }
  /** Earlier records of its key are on their way through the retry topic, or may be; `behind` as below. */
  | { readonly kind: "wait"; readonly behind: ParkedBehind }
  /** A replay that came before the news of it: what is known of its key is older than that. */
  | { readonly kind: "early" }
  | { readonly kind: "park"; readonly behind: ParkedBehind };

/** A key with dead letters, for people. */
export interface ParkedKey {
  readonly key: string;
  /** `topic/partition` that its records are read from. */
  readonly at: string;
  /** Letters that are neither replayed nor dropped. */
  readonly open: number;
  /** Letters whose replays are not settled. */
  readonly returning: number;
  /** Offset of the first of them in `at`; undefined while all of them return. */
  readonly first: number | undefined;
}

interface TrackedLetter {
  readonly offset: number;
  readonly key: LettersOfKey;
  readonly origin: number;
  readonly cause: string;
  place: ReplayPlace | undefined;
}

/** The letters of one key and origin that are not done with. */
interface LettersOfKey {
  readonly key: string;
  readonly at: string;
  /** By where they were read first; those that are open no more are passed over. */
  readonly order: DueQueue<TrackedLetter>;
  readonly returning: Set<TrackedLetter>;
  open: number;
}

const SEND: ParkingDecision = { kind: "send" };

/**
 * The letters that matter to one partition, of a topic or its retry topic. Own letters are known as soon as they are
 * written; everything else is as late as whoever reads the dead-letter topic. Late news park a record too many or hold
 * one too long, and never let one go too early: a key is freed by what was read only.
 */
export class ParkedKeys {
  readonly #letters: Map<number, TrackedLetter> = new Map();
  readonly #keys: Map<string, LettersOfKey> = new Map();
  readonly #written: Set<string> = new Set();
  #from = 0;
  #upTo = 0;
  #askedMs = -Infinity;
  #known = false;

  /** Whether the dead-letter topic was read: before that nobody knows which keys are parked. */
  get known(): boolean {
    return this.#known;
  }

  /** Keys with letters that are not done with. */
  get size(): number {
    return this.#keys.size;
  }

  /** The keys, in no order. */
  *keys(): Generator<ParkedKey> {
    for (const letters of this.#keys.values()) {
      const { key, at, open, returning } = letters;
      yield { key, at, open, returning: returning.size, first: firstOpen(letters)?.origin };
    }
  }

  /** Takes in what was read. */
  apply({ letters, replayed, done, written, from = 0, upTo, askedMs }: LetterUpdate): void {
    for (const origin of written) this.#written.add(identityOf(origin));
    for (const letter of letters) this.#add(letter);
    for (const { offset, place } of replayed) this.#replayed(offset, place);
    for (const offset of done) this.#done(offset);
    this.#forgetBefore(from);
    this.#upTo = Math.max(this.#upTo, upTo);
    this.#askedMs = Math.max(this.#askedMs, askedMs);
    this.#known = true;
  }

  /** The broker confirmed a letter of our own. */
  recordWritten(letter: Letter): void {
    // What was read already says more: it may be done with by now.
    if (letter.offset >= this.#upTo) this.#add(letter);
  }

  /** What becomes of a record whose turn has come; those before it in its key are settled here. */
  decide<R>({ partition, lane, offset, origin: replayOf, receivedMs }: Delivery<R>): ParkingDecision {
    const own = replayOf ?? { at: partition.id, offset, letter: undefined };
    if (this.#written.size > 0 && this.#written.delete(identityOf(own))) return { kind: "settled" };
    const letters = lane === undefined ? undefined : this.#keys.get(nameOf(own.at, lane));
    if (letters === undefined) return SEND;
    const first = firstOpen(letters);
    const isParked = first !== undefined && first.origin < own.offset;
    const behind = ({ origin, cause }: TrackedLetter): ParkedBehind => ({
      place: `${own.at}/${origin}`,
      cause,
    });
    const park = (held: TrackedLetter): ParkingDecision => ({ kind: "park", behind: behind(held) });
    if (replayOf !== undefined) {
      const before = isParked ? first : overtakenBy(letters, own.offset, { at: partition.id, offset });
      if (before === undefined) return SEND;
      return this.#isEarly(replayOf) ? { kind: "early" } : park(before);
    }
    // Those that wait for replays do not grow the dead-letter topic, so a replay comes to an end.
    const returning = earlierOf(letters, own.offset);
    if (returning !== undefined) return { kind: "wait", behind: behind(returning) };
    if (!isParked) return SEND;
    // A record that came when the replay was over is not parked behind it for want of news.
    return receivedMs > this.#askedMs ? { kind: "wait", behind: behind(first) } : park(first);
  }

  /** Whether the mark that was written with a replay has not been read yet, and so nothing from before it either. */
  #isEarly({ letter }: Origin): boolean {
    if (letter === undefined) return false;
    const held = this.#letters.get(letter);
    return held === undefined ? letter >= this.#upTo : held.place === undefined;
  }

  #add({ offset, key, origin, cause }: Letter): void {
    if (this.#letters.has(offset)) return;
    const name = nameOf(origin.at, key);
    const known = this.#keys.get(name);
    const letters = known ?? { key, at: origin.at, order: new DueQueue(), returning: new Set(), open: 0 };
    if (known === undefined) this.#keys.set(name, letters);
    const held: TrackedLetter = { offset, key: letters, origin: origin.offset, cause, place: undefined };
    this.#letters.set(offset, held);
    letters.order.push(held.origin, held);
    letters.open += 1;
  }

  #replayed(offset: number, place: ReplayPlace): void {
    const held = this.#letters.get(offset);
    if (held === undefined || held.place !== undefined) return;
    held.place = place;
    held.key.open -= 1;
    held.key.returning.add(held);
  }

  /** What Kafka has deleted nobody can replay or drop, so nothing waits for it; a replay that is on its way comes. */
  #forgetBefore(from: number): void {
    if (from <= this.#from) return;
    this.#from = from;
    for (const [offset, { place }] of this.#letters) {
      if (offset < from && place === undefined) this.#done(offset);
    }
  }

  #done(offset: number): void {
    const held = this.#letters.get(offset);
    if (held === undefined) return;
    this.#letters.delete(offset);
    const { key } = held;
    if (held.place === undefined) key.open -= 1;
    else key.returning.delete(held);
    held.place = DONE;
    if (key.open + key.returning.size === 0) this.#keys.delete(nameOf(key.at, key.key));
  }
}

/** No open letter has a place: this is the one of those that are done with. */
const DONE: ReplayPlace = { at: "", offset: -1 };

function firstOpen({ order, open }: LettersOfKey): TrackedLetter | undefined {
  if (open === 0) return undefined;
  while (order.peek()?.place !== undefined) order.takeDue(Infinity);
  return order.peek();
}

/** An earlier record on its way; with later ones only, this one was delivered before and comes again. */
function earlierOf({ returning }: LettersOfKey, origin: number): TrackedLetter | undefined {
  for (const held of returning) if (held.origin < origin) return held;
  return undefined;
}

/** A replay of an earlier record that lies behind this one in the retry topic: it was dead-lettered once more. */
function overtakenBy(
  { returning }: LettersOfKey,
  origin: number,
  here: ReplayPlace,
): TrackedLetter | undefined {
  for (const held of returning) {
    const { place } = held;
    if (held.origin < origin && place?.at === here.at && place.offset > here.offset) return held;
  }
  return undefined;
}

const nameOf = (at: string, key: string) => `${at}\n${key}`;
const identityOf = ({ at, offset, letter }: Origin) => `${at}/${offset}/${letter ?? ""}`;
