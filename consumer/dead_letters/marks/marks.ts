// Marks: records in the dead-letter topic that say which earlier letters were replayed or dropped.
//
// A mark lies in the same partition as its letters, behind them. Kafka deletes the oldest records first, so it never
// deletes a mark before its letters. A mark is written in one transaction with the replay.

import { RangeMap } from "./range_map.ts";
import { headerText, type KafkaRecord } from "../../records/record.ts";
import type { PlacedRecord } from "../../records/log_access.ts";
import { partitionId } from "../../records/position.ts";

/** What became of a dead letter. */
export type State = "open" | "replayed" | "dropped";

/** Why it is done with. */
export type Done = Exclude<State, "open">;

/** Names of all headers of marks begin so. */
export const MARK = "ackpool-mark";
const OFFSETS = "ackpool-mark-offsets";
/** Where the replays lie: `topic/partition/offsets`, in the order of the letters' offsets. */
const REPLAYS = "ackpool-mark-replays";

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** One mark: letters before it, in order of their offsets, and where each one's replay lies, if it says so. */
export interface Mark {
  readonly done: Done;
  readonly offsets: readonly number[];
  readonly places: readonly { readonly at: string; readonly offset: number }[];
}

/** Reads a mark; undefined where a record is none. */
export function readMark(record: KafkaRecord): Mark | undefined {
  const done = headerText(record.headers[MARK]);
  if (done !== "replayed" && done !== "dropped") return undefined;
  // A mark counts for letters before it only; a forged one could name any number of offsets.
  const offsets = expand(headerText(record.headers[OFFSETS]) ?? "", record.offset, record.offset);
  const [, at, runs = ""] =
    /^([^/]+\/\d{1,10})\/([\d,-]*)$/.exec(headerText(record.headers[REPLAYS]) ?? "") ?? [];
  const places = at === undefined
    ? []
    : expand(runs, Infinity, offsets.length).map((offset) => ({ at, offset }));
  return { done, offsets, places };
}

/** The numbers of ranges below `end`, `most` at the most. */
function expand(text: string, end: number, most: number): readonly number[] {
  const all: number[] = [];
  for (const [first, last] of parseRanges(text)) {
    for (let each = first; each <= last && each < end && all.length < most; each++) all.push(each);
  }
  return all;
}

/** What marks say, gathered from a topic's records. */
export class Marks {
  readonly #done: Map<string, RangeMap<Done>> = new Map();

  /** Notes a record if it is a mark, and says whether it is. */
  take(record: KafkaRecord): boolean {
    const done = headerText(record.headers[MARK]);
    if (done !== "replayed" && done !== "dropped") return false;
    const id = partitionId(record);
    const known = this.#done.get(id) ?? new RangeMap<Done>();
    this.#done.set(id, known);
    for (const [first, last] of parseRanges(headerText(record.headers[OFFSETS]) ?? "")) {
      // A mark counts for letters before it only; a forged one could name any number of offsets.
      known.set(first, Math.min(last, record.offset - 1), done);
    }
    return true;
  }

  /** What became of a dead letter. */
  stateOf(place: Place): State {
    return this.#done.get(partitionId(place))?.get(place.offset) ?? "open";
  }
}

/** The marks for some dead letters: one record a partition. */
export function marksFor(done: Done, letters: readonly Place[]): readonly PlacedRecord[] {
  const byPartition = Map.groupBy(letters, partitionId);
  return [...byPartition.values()].flatMap((group) => markOf(done, group, {}));
}

/** The marks for dead letters that were replayed, with where each one's replay lies. */
export function replayMarksFor(
  letters: readonly Place[],
  replays: readonly Place[],
): readonly PlacedRecord[] {
  const pairs = letters.map((letter, each) => ({ letter, replay: replays[each] ?? letter }));
  const groups = Map.groupBy(
    pairs,
    ({ letter, replay }) => [letter.topic, letter.partition, replay.topic, replay.partition].join("/"),
  );
  return [...groups.values()].flatMap((group) => {
    const sorted = group.toSorted((a, b) => a.letter.offset - b.letter.offset);
    const [first] = sorted;
    const known = sorted.every(({ replay }) => replay.offset >= 0);
    const runs = formatRuns(sorted.map(({ replay }) => replay.offset));
    const said = known && first !== undefined ? { [REPLAYS]: `${partitionId(first.replay)}/${runs}` } : {};
    return markOf("replayed", sorted.map(({ letter }) => letter), said);
  });
}

function markOf(
  done: Done,
  letters: readonly Place[],
  said: Record<string, string>,
): readonly PlacedRecord[] {
  const [first] = letters;
  if (first === undefined) return [];
  const offsets = formatRanges(letters.map(({ offset }) => offset));
  const headers = { [MARK]: done, [OFFSETS]: offsets, ...said };
  return [{ topic: first.topic, partition: first.partition, key: null, value: null, headers }];
}

/** Whole numbers as `3-7,9`. */
export function formatRanges(offsets: readonly number[]): string {
  return formatRuns([...new Set(offsets)].sort((a, b) => a - b));
}

/** The same, in the order in which they are given. */
function formatRuns(offsets: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const offset of offsets) {
    const run = runs.at(-1);
    if (run !== undefined && offset === run[1] + 1) run[1] = offset;
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
