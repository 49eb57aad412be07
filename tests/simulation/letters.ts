// A model of the dead-letter topic, and of the operator who replays and drops what is in it.

import type { LetterEntry } from "../../consumer/core/parking/letter_log.ts";
import type { Letter } from "../../consumer/core/parking/letters.ts";
import { chance } from "./random.ts";
import type { SimRecord, World } from "./world.ts";

type Mark = Exclude<LetterEntry, { kind: "letter" }>;

/** One dead letter. */
export interface SimLetter {
  readonly record: SimRecord;
  readonly offset: number;
  open: boolean;
}

/** The dead-letter topic, a partition for each of the source topic. */
export class LetterTopic {
  readonly #world: World;
  readonly #partitions: (SimLetter | Mark)[][];
  #deeds = 0;
  #busy = false;

  constructor(world: World) {
    this.#world = world;
    this.#partitions = Array.from({ length: world.scenario.partitions }, () => []);
  }

  /** One past the last offset. */
  end(partition: number): number {
    return this.#partitions[partition]?.length ?? 0;
  }

  /** Writes a letter, and answers with its offset. */
  append(record: SimRecord): number {
    const log = this.#partitions[record.root.partition] ?? [];
    const offset = log.length;
    log.push({ record, offset, open: true });
    return offset;
  }

  /** What a reader sees from one offset to another. */
  read(partition: number, from: number, to: number): readonly LetterEntry[] {
    return (this.#partitions[partition] ?? []).slice(from, to).flatMap((entry): readonly LetterEntry[] => {
      if (!("record" in entry)) return [entry];
      const { key } = entry.record.plan;
      return key === null ? [] : [{ kind: "letter", letter: toLetter(entry, key) }];
    });
  }

  /** Letters that are neither replayed nor dropped. */
  open(partition: number): readonly SimLetter[] {
    return (this.#partitions[partition] ?? []).filter((entry) => "record" in entry).filter(({ open }) =>
      open
    );
  }

  /** All of them. */
  get allOpen(): readonly SimLetter[] {
    return this.#partitions.flatMap((_, partition) => this.open(partition));
  }

  /**
   * Replays the first `most` letters of a key, by where they were read first; without a key all of the partition. The
   * letters are chosen now and sent a moment later, as a replay that reads first and then sends has it.
   */
  replay(partition: number, key: string | undefined, most: number): void {
    const meant = this.open(partition).filter(({ record }) => key === undefined || record.plan.key === key);
    const letters = meant.toSorted((a, b) =>
      a.record.root.offset - b.record.root.offset || a.offset - b.offset
    )
      .slice(0, most);
    // One at a time: a new sender fences the one before.
    if (this.#busy || letters.length === 0) return;
    this.#busy = true;
    const deed = ++this.#deeds;
    this.#world.timeline.after(this.#roll(81, deed) * 400, () => this.#send(partition, letters, deed));
  }

  /** Marks letters as done with. */
  drop(letters: readonly SimLetter[]): void {
    for (const letter of letters.filter(({ open }) => open)) {
      letter.open = false;
      letter.record.root.freed = true;
      this.#world.story(() =>
        `the operator drops ${letter.record.root.partition}@${letter.record.root.offset}`
      );
      this.#mark(letter.record.root.partition, { kind: "dropped", offsets: [letter.offset] });
    }
  }

  /** A transaction; its two parts become visible one after the other, in any order. */
  #send(partition: number, letters: readonly SimLetter[], deed: number): void {
    const { timeline, story } = this.#world;
    const sent = letters.filter(({ open }) => open);
    for (const letter of sent) letter.open = false;
    story(() =>
      `the operator replays ${sent.map(({ record: { root } }) => `${partition}@${root.offset}`).join(" ")}`
    );
    const places = sent.map((_, each) => this.#world.retryPlace(partition, each));
    const [one, other] = [
      () => this.#world.replay(sent),
      () => this.#mark(partition, { kind: "replayed", offsets: sent.map(({ offset }) => offset), places }),
    ].sort(() => this.#roll(82, deed) - 0.5);
    one?.();
    timeline.after(this.#roll(83, deed) * 60, () => {
      other?.();
      this.#busy = false;
    });
  }

  #roll(...about: number[]): number {
    return chance(this.#world.scenario.seed, ...about);
  }

  #mark(partition: number, mark: Mark): void {
    this.#partitions[partition]?.push(mark);
  }
}

function toLetter({ record: { root, letter }, offset }: SimLetter, key: string): Letter {
  return {
    offset,
    key,
    origin: {
      topic: "t",
      partition: root.partition,
      offset: root.offset,
      timestampMs: root.timestampMs,
      letter,
    },
    cause: { reason: "c", status: "", problem: "" },
  };
}
