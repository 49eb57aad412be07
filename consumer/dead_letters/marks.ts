// Which dead letters are done with: marks, records in the dead-letter topic itself that say so of earlier ones.
//
// A mark is in the same partition as what it marks and behind it, so Kafka, which forgets the oldest first, never
// forgets a mark before what it marks. It is written in one transaction with the replay.

import { MarkedRanges } from "./marked_ranges.ts";
import { headerText, type KafkaRecord } from "../kafka/record.ts";
import type { PlacedRecord } from "../kafka/transactional_sender.ts";

/** What became of a dead letter. */
export type State = "open" | "replayed" | "dropped";

/** Why it is done with. */
export type Done = Exclude<State, "open">;

const MARK = "ackpool-mark";
const OFFSETS = "ackpool-mark-offsets";

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What marks say, gathered from a topic's records. */
export class Marks {
  readonly #done: Map<string, MarkedRanges<Done>> = new Map();

  /** Notes a record if it is a mark, and says whether it is. */
  take(record: KafkaRecord): boolean {
    const done = headerText(record.headers[MARK]);
    if (done !== "replayed" && done !== "dropped") return false;
    const id = `${record.topic}/${record.partition}`;
    const known = this.#done.get(id) ?? new MarkedRanges<Done>();
    this.#done.set(id, known);
    for (const [first, last] of parseRanges(headerText(record.headers[OFFSETS]) ?? "")) {
      // A mark speaks of what lies before it; anything else would be endless or forged.
      known.set(first, Math.min(last, record.offset - 1), done);
    }
    return true;
  }

  /** What became of a dead letter. */
  stateOf({ topic, partition, offset }: Place): State {
    return this.#done.get(`${topic}/${partition}`)?.get(offset) ?? "open";
  }
}

/** The marks for some dead letters: one record a partition. */
export function marksFor(done: Done, places: readonly Place[]): readonly PlacedRecord[] {
  const byPartition = Map.groupBy(places, ({ topic, partition }) => `${topic}/${partition}`);
  return [...byPartition.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const offsets = formatRanges(group.map(({ offset }) => offset));
    const headers = { [MARK]: done, [OFFSETS]: offsets };
    return [{ topic: first.topic, partition: first.partition, key: null, value: null, headers }];
  });
}

/** Whole numbers as `3-7,9`. */
export function formatRanges(offsets: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const offset of [...offsets].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && offset <= run[1] + 1) run[1] = offset;
    else runs.push([offset, offset]);
  }
  return runs.map(([first, last]) => first === last ? `${first}` : `${first}-${last}`).join(",");
}

/** See {@link formatRanges}; what is no range is left out. */
export function parseRanges(text: string): readonly (readonly [number, number])[] {
  return text.split(",").flatMap((part) => {
    const [, first, last] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part) ?? [];
    return first === undefined ? [] : [[Number(first), Number(last ?? first)] as const];
  });
}
