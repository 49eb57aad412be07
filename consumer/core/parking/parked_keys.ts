// ParkedKeys: what a partition knows of dead letters, and what that means for the next record of a key.

import type {
  Letter,
  LetterOrigin,
  LetterUpdate,
  ParkedBehind,
  ParkedKey,
  ParkingCandidate,
  ParkingDecision,
  ReplayPlace,
} from "./letters.ts";
import { DueQueue } from "../structures/due_queue.ts";
import type { LetterCause } from "../../records/letter_cause.ts";
import { partitionId } from "../../records/position.ts";

/** A letter that is not done with. */
interface TrackedLetter {
  readonly offset: number;
  readonly key: LettersOfKey;
  readonly origin: number;
  readonly cause: LetterCause;
  state: "open" | "returning" | "done";
  /** Where its replay is, once it was sent. */
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

/** Where a record was read first, its partition as text. */
interface PlacedOrigin extends Pick<LetterOrigin, "offset" | "timestampMs" | "letter"> {
  readonly at: string;
}

const SEND: ParkingDecision = { kind: "send" };

/**
 * The letters that matter to one partition, of a topic or its retry topic. Letters of our own are known as soon as they
 * are written; all others only when the dead-letter topic is read. What is known late may park a record too many or hold
 * one too long, but never lets one go too early: only what was read frees a key.
 */
export class ParkedKeys {
  readonly #letters: Map<number, TrackedLetter> = new Map();
  readonly #keys: Map<string, LettersOfKey> = new Map();
  /** Records that are letters already. */
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
    for (const { key, origin } of written) this.#written.add(identityOf(partitionId(origin), origin, key));
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
    // Below `upTo` the topic was read, and that says more: the letter may be done with by now.
    if (letter.offset >= this.#upTo) this.#add(letter);
  }

  /** What becomes of a record whose turn has come; those before it in its key are settled here. */
  decide({ at, offset, timestampMs, lane, origin: replayOf, receivedMs }: ParkingCandidate): ParkingDecision {
    const own = replayOf === undefined
      ? { at, offset, timestampMs, letter: undefined }
      : { ...replayOf, at: partitionId(replayOf) };
    if (lane !== undefined && this.#isWritten(own, lane)) return { kind: "settled" };
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
      const before = isParked ? first : overtakenBy(letters, own.offset, { at, offset });
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

  /**
   * Whether the record is a letter already that was not committed. The same offset is not enough: the topic may have
   * been made anew. A replay has to be the replay of the same letter, too: one record may have several.
   */
  #isWritten(own: PlacedOrigin, key: string): boolean {
    return this.#written.size > 0 && this.#written.delete(identityOf(own.at, own, key));
  }

  /** Whether the mark that was written with a replay has not been read yet, and so nothing from before it either. */
  #isEarly({ letter }: LetterOrigin): boolean {
    if (letter === undefined) return false;
    const held = this.#letters.get(letter);
    return held === undefined ? letter >= this.#upTo : held.state === "open";
  }

  #add({ offset, key, origin, cause }: Letter): void {
    if (this.#letters.has(offset)) return;
    const at = partitionId(origin);
    const name = nameOf(at, key);
    const known = this.#keys.get(name);
    const letters = known ?? { key, at, order: new DueQueue(), returning: new Set(), open: 0 };
    if (known === undefined) this.#keys.set(name, letters);
    const held: TrackedLetter = {
      offset,
      key: letters,
      origin: origin.offset,
      cause,
      state: "open",
      place: undefined,
    };
    this.#letters.set(offset, held);
    letters.order.push(held.origin, held);
    letters.open += 1;
  }

  #replayed(offset: number, place: ReplayPlace): void {
    const held = this.#letters.get(offset);
    if (held?.state !== "open") return;
    held.state = "returning";
    held.place = place;
    held.key.open -= 1;
    held.key.returning.add(held);
  }

  /** What Kafka has deleted nobody can replay or drop, so nothing waits for it; a replay that is on its way comes. */
  #forgetBefore(from: number): void {
    if (from <= this.#from) return;
    this.#from = from;
    for (const [offset, { state }] of this.#letters) {
      if (offset < from && state === "open") this.#done(offset);
    }
  }

  #done(offset: number): void {
    const held = this.#letters.get(offset);
    if (held === undefined) return;
    this.#letters.delete(offset);
    const { key } = held;
    if (held.state === "open") key.open -= 1;
    else key.returning.delete(held);
    held.state = "done";
    if (key.open + key.returning.size === 0) this.#keys.delete(nameOf(key.at, key.key));
  }
}

function firstOpen({ order, open }: LettersOfKey): TrackedLetter | undefined {
  if (open === 0) return undefined;
  while (order.length > 0 && order.peek()?.state !== "open") order.takeDue(Infinity);
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
const identityOf = (
  at: string,
  { offset, timestampMs, letter }: Pick<LetterOrigin, "offset" | "timestampMs" | "letter">,
  key: string,
) => `${at}/${offset}@${timestampMs}/${letter ?? ""}\n${key}`;
