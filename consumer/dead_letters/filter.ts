// Filter: which dead letters a command is about.

import type { NoAnswer } from "../../shared/contract/outcome.ts";
import type { KafkaRecord } from "../records/record.ts";
import { bytesAsText, type DeadLetter, problemOf } from "./letter.ts";
import { recordPosition } from "../records/position.ts";
import { causeText } from "../records/letter_cause.ts";

/** All that is given must hold. */
export interface Filter {
  /** What the last attempt came to: `422`, a class such as `5xx`, `timeout`. One of them. */
  readonly statuses?: readonly string[];
  /** Dead-lettered at this time or later, in ms since the epoch. */
  readonly sinceMs?: number;
  /** Dead-lettered before this time, in ms since the epoch. */
  readonly untilMs?: number;
  /** The whole key. */
  readonly key?: string;
  /** A part of value, key or problem, in upper or lower case. */
  readonly grep?: string;
  /** The whole cause, as the list shows it. */
  readonly cause?: string;
  /** `topic/partition/offset` of dead letters. */
  readonly positions?: readonly string[];
}

/** Whether dead letters can have this status at all: one such as `422`, a class such as `5xx`, or no answer. */
export function isKnownStatus(status: string): boolean {
  return /^[1-5](?:\d\d|xx)$/i.test(status) || NO_ANSWER.has(status) || status === PARKED;
}

const NO_ANSWER = new Set<string>(["timeout", "refused", "reset"] satisfies NoAnswer["kind"][]);
/** What parked ones say instead of a status. */
const PARKED = "parked";

/** Whether a dead letter is meant. */
export function matches(filter: Filter, letter: DeadLetter, record: KafkaRecord): boolean {
  const { statuses, sinceMs = -Infinity, untilMs = Infinity, key, grep, cause, positions } = filter;
  return (statuses === undefined || statuses.some((status) => hasStatus(letter, status))) &&
    letter.atMs >= sinceMs && letter.atMs < untilMs &&
    (key === undefined || letter.key === key) &&
    (cause === undefined || causeText(letter.cause) === cause) &&
    (positions === undefined ||
      positions.includes(recordPosition(letter))) &&
    (grep === undefined || contains(grep, letter, record));
}

/** Whether a parked letter is meant only for what it is parked behind: then it may follow it, but nothing else. */
export function onlyFollows({ statuses, cause }: Filter, { behind, status }: DeadLetter): boolean {
  return behind !== undefined &&
    (cause !== undefined || (statuses !== undefined && !statuses.includes(status)));
}

/** A parked one has its own and that of what it is parked behind. */
function hasStatus({ status, behind, cause }: DeadLetter, wanted: string): boolean {
  return isStatus(wanted, status) || (behind !== undefined && isStatus(wanted, cause.status));
}

function isStatus(wanted: string, status: string): boolean {
  const [, digit] = /^([1-5])xx$/i.exec(wanted) ?? [];
  return digit === undefined ? wanted === status : /^\d{3}$/.test(status) && status.startsWith(digit);
}

function contains(part: string, { key }: DeadLetter, record: KafkaRecord): boolean {
  const wanted = part.toLowerCase();
  const { value } = record;
  const texts = [key ?? "", value === null ? "" : bytesAsText(value), problemOf(record)];
  return texts.some((text) => text.toLowerCase().includes(wanted));
}
