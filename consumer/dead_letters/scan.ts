// Scan: reads the dead-letter topics once, marks included, and says which letters are open.
//
// A mark lies behind the letters that it marks, so a letter is known to be open only when the whole topic was read. A
// few letters are kept in memory; many are counted and read again page by page. So memory grows by one bit a letter.

import type { KafkaRecord } from "../records/record.ts";
import type { OffsetRange } from "../records/log_access.ts";
import { type DeadLetter, toDeadLetter } from "./letter.ts";
import { type Filter, matches } from "./filter.ts";
import { Marks, type State } from "./marks/marks.ts";
import { OffsetSet } from "./marks/offset_set.ts";
import type { DeadLetterPorts } from "./ports.ts";
import { partitionId } from "../records/position.ts";

/** A dead letter and what became of it. */
export interface Found {
  readonly letter: DeadLetter;
  readonly state: State;
}

/** What is asked for. `kindOf` sorts what the filter means, to be counted apart. */
export interface ScanRequest<Kind extends string> {
  readonly filter: Filter;
  readonly kindOf: (letter: DeadLetter) => Kind;
}

/** What the dead-letter topics hold. */
export interface Scan<Kind extends string> {
  /** Dead letters of all states, whether meant or not. */
  readonly total: number;
  /** Open ones of a kind that the filter means. */
  open(kind: Kind): number;
  /** Those that the filter means, in whatever state, each partition in its order. */
  pages(signal?: AbortSignal): AsyncIterable<readonly Found[]>;
}

const PAGE_SIZE = 20_000;

/** Reads everything there is at this moment. */
export async function scan<Kind extends string>(
  ports: DeadLetterPorts,
  { filter, kindOf }: ScanRequest<Kind>,
  signal?: AbortSignal,
): Promise<Scan<Kind>> {
  const topics = await ports.topics();
  const ranges = (await Promise.all(topics.map((topic) => ports.offsets.ranges(topic)))).flat();
  const { pageSize = PAGE_SIZE } = ports;
  const marks = new Marks();
  const counts = new Counts<Kind>();
  let few: DeadLetter[] | undefined = [];
  let total = 0;
  await (await ports.reader()).read(ranges, (records) => {
    for (const record of records) {
      if (marks.take(record)) continue;
      total += 1;
      const letter = toDeadLetter(record);
      if (!matches(filter, letter, record)) continue;
      counts.add(kindOf(letter), letter);
      few?.push(letter);
      if (few !== undefined && few.length > pageSize) few = undefined;
    }
  }, signal);
  const found = (letter: DeadLetter) => ({ letter, state: marks.stateOf(letter) });
  return {
    total,
    open: (kind) => counts.open(kind, marks),
    pages: async function* (signal) {
      if (few !== undefined) yield few.map(found);
      else for await (const page of readPages(ports, ranges, filter, pageSize, signal)) yield page.map(found);
    },
  };
}

/** One record of a dead-letter topic, as it is; undefined where there is none at that place. */
export async function findOne(
  ports: DeadLetterPorts,
  at: { readonly topic: string; readonly partition: number; readonly offset: number },
  signal?: AbortSignal,
): Promise<{ readonly record: KafkaRecord; readonly found: Found } | undefined> {
  if (!(await ports.topics()).includes(at.topic)) return undefined;
  const ranges = (await ports.offsets.ranges(at.topic)).filter(({ partition }) => partition === at.partition);
  const marks = new Marks();
  let record: KafkaRecord | undefined;
  // Marks lie behind the letter.
  const behind = ranges.map((range) => ({ ...range, from: Math.max(range.from, at.offset) }));
  await (await ports.reader()).read(behind, (records) => {
    for (const each of records) {
      if (!marks.take(each) && each.offset === at.offset) record = each;
    }
  }, signal);
  if (record === undefined) return undefined;
  const letter = toDeadLetter(record);
  return { record, found: { letter, state: marks.stateOf(letter) } };
}

/** Reads the ranges again, page by page. */
async function* readPages(
  ports: DeadLetterPorts,
  ranges: readonly OffsetRange[],
  filter: Filter,
  pageSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly DeadLetter[]> {
  const left = new Map(ranges.map((range) => [partitionId(range), range]));
  for (;;) {
    const page: DeadLetter[] = [];
    const full = new AbortController();
    const marks = new Marks();
    const either = signal === undefined ? full.signal : AbortSignal.any([full.signal, signal]);
    const reading = (await ports.reader()).read([...left.values()], (records) => {
      // The page is full; the next page reads these records again.
      if (full.signal.aborted) return;
      for (const record of records) {
        const id = partitionId(record);
        const range = left.get(id);
        if (range !== undefined) left.set(id, { ...range, from: record.offset + 1 });
        if (marks.take(record)) continue;
        const letter = toDeadLetter(record);
        if (matches(filter, letter, record)) page.push(letter);
      }
      if (page.length >= pageSize) full.abort();
    }, either);
    await reading.catch((error) => {
      if (!full.signal.aborted) throw error;
    });
    if (page.length > 0) yield page;
    if (!full.signal.aborted) return;
  }
}

/** How many there are of each kind, without the dead letters themselves. */
class Counts<Kind extends string> {
  readonly #sets: Map<Kind, Map<string, { readonly at: DeadLetter; readonly offsets: OffsetSet }>> =
    new Map();

  add(kind: Kind, letter: DeadLetter): void {
    const partitions = this.#sets.get(kind) ?? new Map();
    this.#sets.set(kind, partitions);
    const id = partitionId(letter);
    const known = partitions.get(id) ?? { at: letter, offsets: new OffsetSet() };
    partitions.set(id, known);
    known.offsets.add(letter.offset);
  }

  open(kind: Kind, marks: Marks): number {
    let open = 0;
    for (const { at: { topic, partition }, offsets } of this.#sets.get(kind)?.values() ?? []) {
      open += offsets.count((offset) => marks.stateOf({ topic, partition, offset }) === "open");
    }
    return open;
  }
}
