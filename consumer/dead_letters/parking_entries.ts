// Parking entries: letters and marks of the dead-letter topic, as far as parked keys need them. Pure.

import type { LetterEntry } from "../core/parking/letter_log.ts";
import type { KafkaRecord } from "../records/record.ts";
import { letterOriginOf, toDeadLetter } from "./letter.ts";
import { readMark } from "./marks/marks.ts";

/** An entry and where it is in its partition. */
export interface StoredEntry {
  readonly offset: number;
  readonly entry: LetterEntry;
}

/** A letter or a mark; undefined where no key can be parked behind it. */
export function toEntry(record: KafkaRecord): LetterEntry | undefined {
  const mark = readMark(record);
  if (mark !== undefined) {
    const { done, offsets, places } = mark;
    return done === "dropped" ? { kind: "dropped", offsets } : { kind: "replayed", offsets, places };
  }
  const origin = letterOriginOf(record);
  if (origin === undefined || record.key === null) return undefined;
  const { cause } = toDeadLetter(record);
  return { kind: "letter", letter: { offset: record.offset, key: laneKey(record.key), origin, cause } };
}

/** As the source names keys: one character a byte. */
function laneKey(key: Uint8Array): string {
  let text = "";
  for (const byte of key) text += String.fromCharCode(byte);
  return text;
}
