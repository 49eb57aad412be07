// Letters: what the core is told of dead letters, and what it decides for records behind them, as plain types.

import type { LetterCause } from "../../records/letter_cause.ts";
import type { Origin } from "../../records/position.ts";

/** Where the record of a letter or of a replay was read first. */
export interface LetterOrigin extends Origin {
  /** For a replay: the dead letter that it was, by its offset in the dead-letter topic's partition. */
  readonly letter: number | undefined;
}

/** A dead letter, as far as parking goes. */
export interface Letter {
  /** In the dead-letter topic's partition. */
  readonly offset: number;
  /** The record's key, as the source names it. */
  readonly key: string;
  readonly origin: LetterOrigin;
  /** What it is dead-lettered for; a parked one has that of what it is parked behind. */
  readonly cause: LetterCause;
}

/** The first dead letter of a key. */
export interface ParkedBehind {
  /** `topic/partition/offset`, where it was read first. */
  readonly place: string;
  readonly cause: LetterCause;
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
  /** Letters whose records may be delivered again, for nobody committed them: told once, at the beginning. */
  readonly written: readonly Letter[];
  /** Kafka has deleted what was before this offset; absent where that is not known. */
  readonly from?: number;
  /** One past the last offset that was read. */
  readonly upTo: number;
  /** When reading began, in ms: everything that was there by then is in it. */
  readonly askedMs: number;
}

/** A new record whose turn has come. */
export interface ParkingCandidate {
  /** `topic/partition` that it was read from. */
  readonly at: string;
  readonly offset: number;
  /** Its own timestamp, in ms. */
  readonly timestampMs: number;
  readonly lane: string | undefined;
  /** What it is a replay of; undefined where it is none. */
  readonly origin: LetterOrigin | undefined;
  /** When it was received, in ms. */
  readonly receivedMs: number;
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
