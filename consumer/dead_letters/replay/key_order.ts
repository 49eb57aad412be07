// Key order: a parked letter is never replayed before an earlier letter of its key that stays.

import type { KafkaRecord } from "../../records/record.ts";
import { type DeadLetter, toDeadLetter } from "../letter.ts";
import { Marks } from "../marks/marks.ts";
import type { DeadLetterPorts } from "../ports.ts";
import { partitionId } from "../../records/position.ts";

/** Key and source partition, within which order is kept; undefined for a letter without a key. */
export function laneOf({ key, origin }: DeadLetter): string | undefined {
  return key === null || origin === undefined ? undefined : `${partitionId(origin)}\n${key}`;
}

/** In the order in which the records were read first, whatever order they were written in. */
export function byOrigin(a: DeadLetter, b: DeadLetter): number {
  return a.topic.localeCompare(b.topic) || a.partition - b.partition ||
    (a.origin?.topic ?? "").localeCompare(b.origin?.topic ?? "") ||
    (a.origin?.partition ?? 0) - (b.origin?.partition ?? 0) ||
    (a.origin?.offset ?? 0) - (b.origin?.offset ?? 0) || a.offset - b.offset;
}

/** Where a letter that does not go lies, and where it was read first. */
interface Staying extends Pick<DeadLetter, "topic" | "partition" | "offset"> {
  readonly lane: string;
  readonly originOffset: number;
}

/** Where the first open letter that does not go was read first, lane by lane. */
export async function firstThatStay(
  ports: DeadLetterPorts,
  lanes: ReadonlySet<string>,
  goes: (letter: DeadLetter, record: KafkaRecord) => boolean,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const topics = await ports.topics();
  const ranges = (await Promise.all(topics.map((topic) => ports.offsets.ranges(topic)))).flat();
  const marks = new Marks();
  // Values are not kept: there may be many letters.
  const staying: Staying[] = [];
  await (await ports.reader()).read(ranges, (records) => {
    for (const record of records) {
      if (marks.take(record)) continue;
      const letter = toDeadLetter(record);
      const lane = laneOf(letter) ?? "";
      if (!lanes.has(lane) || goes(letter, record)) continue;
      const { topic, partition, offset, origin } = letter;
      staying.push({ topic, partition, offset, lane, originOffset: origin?.offset ?? 0 });
    }
  }, signal);
  const first = new Map<string, number>();
  for (const letter of staying) {
    if (marks.stateOf(letter) !== "open") continue;
    const { lane, originOffset } = letter;
    first.set(lane, Math.min(first.get(lane) ?? Infinity, originOffset));
  }
  return first;
}

/** Whether a parked letter would overtake one that stays. */
export function isBlocked(letter: DeadLetter, stays: ReadonlyMap<string, number>): boolean {
  return letter.behind !== undefined &&
    (letter.origin?.offset ?? 0) > (stays.get(laneOf(letter) ?? "") ?? Infinity);
}
