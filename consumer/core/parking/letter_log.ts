// LetterLog: turns the records of the dead-letter topic into what has changed for the keys of a partition.

import type { Letter, LetterOrigin, LetterUpdate, ReplayPlace } from "./letters.ts";

/** A record of the dead-letter topic. */
export type LetterEntry =
  | { readonly kind: "letter"; readonly letter: Letter }
  /** Says of earlier letters that they were sent to the retry topic; a place each. */
  | {
    readonly kind: "replayed";
    readonly offsets: readonly number[];
    readonly places: readonly ReplayPlace[];
  }
  | { readonly kind: "dropped"; readonly offsets: readonly number[] };

/**
 * Remembers which replays are not settled. A replay that is settled was delivered, or is a dead letter again; that is
 * written before it is committed, so who looks at the commits first and reads the topic afterwards sees it in time.
 */
export class LetterLog {
  readonly #mayComeAgain: (origin: LetterOrigin) => boolean;
  readonly #outstanding: Map<number, ReplayPlace> = new Map();
  #isFirst = true;

  /** @param mayComeAgain whether a record that is a dead letter may be delivered again: nobody committed it. */
  constructor(mayComeAgain: (origin: LetterOrigin) => boolean) {
    this.#mayComeAgain = mayComeAgain;
  }

  /** Replays that are not settled. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /**
   * @param entries those of this partition's keys, and every mark, from where the last call ended up to `upTo`.
   * @param isSettled whether the group has settled a replay, as asked before the topic was read: else a letter might be
   * missed.
   * @param askedMs when reading began, in ms.
   */
  take(
    entries: readonly LetterEntry[],
    upTo: number,
    isSettled: (place: ReplayPlace) => boolean,
    askedMs: number,
  ): LetterUpdate {
    const letters = new Map<number, Letter>();
    const done: number[] = [];
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const end = (offset: number) => {
      // Nobody has heard of those that began and ended before the first look.
      if (!letters.delete(offset) || !isFirst) done.push(offset);
    };
    const fresh = new Map<number, ReplayPlace>();
    for (const entry of entries) {
      if (entry.kind === "letter") letters.set(entry.letter.offset, entry.letter);
      else if (entry.kind === "dropped") entry.offsets.forEach(end);
      else entry.offsets.forEach((offset, each) => note(fresh, offset, entry.places[each], end));
    }
    for (const [offset, place] of fresh) this.#outstanding.set(offset, place);
    for (const [offset, place] of this.#outstanding) {
      if (!isSettled(place)) continue;
      this.#outstanding.delete(offset);
      fresh.delete(offset);
      end(offset);
    }
    const replayed = Array.from(fresh, ([offset, place]) => ({ offset, place }));
    const left = [...letters.values()];
    // One that was replayed or dropped is done with: where a group was rewound its record is delivered as any other.
    const written = isFirst ? left.filter(({ origin }) => this.#mayComeAgain(origin)) : [];
    return { letters: left, replayed, done, written, upTo, askedMs };
  }
}

/** Marks of an earlier release do not say where the replay is: it counts as settled. */
function note(
  fresh: Map<number, ReplayPlace>,
  offset: number,
  place: ReplayPlace | undefined,
  end: (offset: number) => void,
): void {
  if (place === undefined) end(offset);
  else fresh.set(offset, place);
}
