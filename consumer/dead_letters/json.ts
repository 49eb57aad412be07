// Dead letters as JSON: the same on the command line and on the admin port.

import type { KafkaRecord } from "../records/record.ts";
import { bytesAsText, type DeadLetter } from "./letter.ts";
import { recordPosition } from "../records/position.ts";
import type { Listing } from "./list.ts";
import type { State } from "./marks/marks.ts";
import type { Found } from "./scan.ts";
import { causeText } from "../records/letter_cause.ts";

/** A dead letter for machines. Times as ISO 8601. */
export interface DeadLetterJson {
  /** `topic/partition/offset` in the dead-letter topic. */
  readonly at: string;
  readonly state: State;
  readonly origin: { readonly at: string; readonly time: string } | null;
  readonly key: string | null;
  readonly status: string;
  readonly reason: string;
  /** `topic/partition/offset` of the record it is parked behind. */
  readonly parked_behind: string | null;
  readonly cause: string;
  /** Attempts made. */
  readonly attempts: number;
  /** Those of them that counted against the record; null in letters of an earlier release. */
  readonly attempts_counted: number | null;
  readonly replays: number;
  /** Its value did not fit into the dead-letter topic and lies at its origin only. */
  readonly incomplete: boolean;
  readonly dead_lettered_at: string;
}

/** The list: causes of all that are meant, then the newest of them. */
export interface ListJson {
  /** Dead letters there are, in whatever state and whether meant or not. */
  readonly total: number;
  readonly meant: number;
  readonly causes: readonly {
    readonly cause: string;
    readonly count: number;
    /** How many of them are parked behind the others. */
    readonly parked: number;
    readonly oldest: string;
    readonly newest: string;
    /** `topic/partition/offset` of the newest. */
    readonly example: string;
  }[];
  readonly dead_letters: readonly DeadLetterJson[];
}

/** One, with everything. */
export interface ShowJson extends DeadLetterJson {
  /** Text, `base64:…` where it is not UTF-8, null for a tombstone. */
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/** See {@link ListJson}. */
export function listAsJson({ total, meant, causes, newest }: Listing): ListJson {
  return {
    total,
    meant,
    causes: causes.map(({ cause, count, parked, oldestMs, newestMs, example }) => ({
      cause,
      count,
      parked,
      oldest: iso(oldestMs),
      newest: iso(newestMs),
      example: recordPosition(example),
    })),
    dead_letters: newest.map(({ letter, state }) => letterAsJson(letter, state)),
  };
}

/** See {@link ShowJson}. */
export function showAsJson(record: KafkaRecord, { letter, state }: Found): ShowJson {
  const text = (value: Uint8Array | string | null) =>
    value instanceof Uint8Array ? bytesAsText(value) : value ?? "";
  const headers = Object.entries(record.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.map(text) : text(value)]]
  );
  return {
    ...letterAsJson(letter, state),
    value: record.value === null ? null : bytesAsText(record.value),
    headers: Object.fromEntries(headers),
  };
}

function letterAsJson(letter: DeadLetter, state: State): DeadLetterJson {
  const {
    origin,
    key,
    status,
    reason,
    behind,
    cause,
    attempts,
    attemptsCounted,
    replays,
    isIncomplete,
    atMs,
  } = letter;
  return {
    at: recordPosition(letter),
    state,
    origin: origin === undefined ? null : { at: recordPosition(origin), time: iso(origin.timestampMs) },
    key,
    status,
    reason,
    parked_behind: behind ?? null,
    cause: causeText(cause),
    attempts,
    attempts_counted: attemptsCounted ?? null,
    replays,
    incomplete: isIncomplete,
    dead_lettered_at: iso(atMs),
  };
}

/** Somebody else's header may say any number, and a record without a timestamp says -1. */
function iso(ms: number): string {
  const date = new Date(ms);
  return ms < 0 || Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
