// Finds dead letters: reads the dead-letter topics once, marks included, and says which are open.

import type { KafkaRecord } from "../kafka/record.ts";
import { type DeadLetter, toDeadLetter } from "./dead_letter.ts";
import { type Filter, matches } from "./filter.ts";
import { Marks, type State } from "./marks.ts";
import type { DeskPorts } from "./ports.ts";

/** A dead letter and what became of it. */
export interface Found {
  readonly letter: DeadLetter;
  readonly state: State;
}

/** What the dead-letter topics hold. */
export interface Scan {
  /** Those that the filter means. */
  readonly found: readonly Found[];
  /** Dead letters of all states, whether meant or not. */
  readonly total: number;
}

/** Reads everything there is at this moment. */
export async function scan(ports: DeskPorts, filter: Filter, signal?: AbortSignal): Promise<Scan> {
  const topics = await ports.topics();
  const ranges = (await Promise.all(topics.map((topic) => ports.offsets.ranges(topic)))).flat();
  const marks = new Marks();
  const meant: DeadLetter[] = [];
  let total = 0;
  await (await ports.reader()).read(ranges, (records) => {
    for (const record of records) {
      if (marks.take(record)) continue;
      total += 1;
      const letter = toDeadLetter(record);
      if (matches(filter, letter, record)) meant.push(letter);
    }
  }, signal);
  return { found: meant.map((letter) => ({ letter, state: marks.stateOf(letter) })), total };
}

/** One record of a dead-letter topic, as it is; undefined where there is none at that place. */
export async function findOne(
  ports: DeskPorts,
  at: { readonly topic: string; readonly partition: number; readonly offset: number },
  signal?: AbortSignal,
): Promise<{ readonly record: KafkaRecord; readonly found: Found } | undefined> {
  if (!(await ports.topics()).includes(at.topic)) return undefined;
  const ranges = (await ports.offsets.ranges(at.topic)).filter(({ partition }) => partition === at.partition);
  const marks = new Marks();
  let record: KafkaRecord | undefined;
  // What marks it lies behind it.
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
