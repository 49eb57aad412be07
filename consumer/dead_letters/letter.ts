// DeadLetter: the codec of dead letters; their headers are written and read here, and nowhere else.

import { type Outcome, outcomeLabel } from "../../shared/contract/outcome.ts";
import type { Delivery } from "../core/delivery.ts";
import type { LetterOrigin } from "../core/parking/letters.ts";
import { causeText, type LetterCause, parseCause } from "../records/letter_cause.ts";
import type { PlacedRecord } from "../records/log_access.ts";
import { type Origin, type RecordPosition, recordPosition } from "../records/position.ts";
import { headerText, type KafkaRecord } from "../records/record.ts";
import { carriedHeaders, carryHeaders } from "./carried_headers.ts";
import type { UnreadRange } from "../records/unread_range.ts";
import {
  deadLetterTopicOf,
  isRetryTopic,
  retryTopicOf,
  type SideTopicNames,
} from "../records/topic_names.ts";

/** One dead letter, without its value. */
export interface DeadLetter extends RecordPosition {
  /** Undefined where the headers do not say it: another program wrote the record, and it cannot be replayed. */
  readonly origin: Origin | undefined;
  /** The key as text, `base64:…` where it is not UTF-8. */
  readonly key: string | null;
  /** Size of key and value. */
  readonly bytes: number;
  /** What the last attempt came to: a status, `timeout`, `refused`, `reset`; `parked` for a parked one. */
  readonly status: string;
  readonly reason: string;
  /** What it is parked behind, as `topic/partition/offset` where that was read first; undefined where it is not. */
  readonly behind: string | undefined;
  /** What dead letters are grouped by. A parked one has that of what it is behind. */
  readonly cause: LetterCause;
  /** Attempts made. */
  readonly attempts: number;
  /** Those that counted against the record; undefined in letters of an earlier release. */
  readonly attemptsCounted: number | undefined;
  readonly replays: number;
  /** When it was dead-lettered, in ms since the epoch. */
  readonly atMs: number;
  /** The dead letter whose replay it is, as `topic/partition/offset`. */
  readonly replayedFrom: string | undefined;
  /** Its value did not fit into the dead-letter topic and lies at its origin only: it cannot be replayed. */
  readonly isIncomplete: boolean;
}

/** What is known of a record that is dead-lettered. */
type Lettered = Pick<
  Delivery<KafkaRecord>,
  "record" | "origin" | "reason" | "lastOutcome" | "parkedBehind" | "attemptsSent" | "attemptsCounted"
>;

/** Names of the headers of dead letters and replays. */
export const Header = {
  originTopic: "ackpool-origin-topic",
  originPartition: "ackpool-origin-partition",
  originOffset: "ackpool-origin-offset",
  /** In ms since the epoch; -1 where the record has none. */
  originTimestamp: "ackpool-origin-timestamp",
  status: "ackpool-status",
  reason: "ackpool-reason",
  /** What the worker said, up to 1 KiB. */
  problem: "ackpool-problem",
  /** Attempts made. */
  attempts: "ackpool-attempts",
  /** Those of them that counted against the record. */
  attemptsCounted: "ackpool-attempts-counted",
  replays: "ackpool-replays",
  deadLetteredAt: "ackpool-dead-lettered-at",
  replayedFrom: "ackpool-replayed-from",
  /** Of a parked one: the cause of what it is parked behind. */
  parkedCause: "ackpool-parked-cause",
  /** What did not fit into the dead-letter topic: `value`, `value,headers` or `value,headers,key`; `batch` where nobody can read it. */
  omitted: "ackpool-omitted",
  /** Proves who wrote it, where the group has a secret. */
  signature: "ackpool-signature",
} as const;

/** The reason that letters without their values are grouped by. */
export const TOO_LARGE = "too-large-for-dead-letter-topic";

/** The reason of records that no secret proves to be ours. */
export const UNSIGNED = "unsigned";

/** The reason of letters that stand for a batch which cannot be unpacked. */
export const UNREADABLE_BATCH = "unreadable-batch";
const UNREADABLE = "unreadable";

/** What the next attempts will say anew. */
const OF_THE_LAST_TIME = new Set<string>([
  Header.status,
  Header.reason,
  Header.problem,
  Header.attempts,
  Header.attemptsCounted,
  Header.deadLetteredAt,
  Header.parkedCause,
  Header.signature,
]);
const RESERVED = new Set<string>(Object.values(Header));
/** Kafka's own rule for topic names. */
const TOPIC = /^[A-Za-z0-9._-]{1,249}$/;
const PROBLEM_CHARS_MAX = 1024;
const PARKED = "parked";
const BEHIND = /^parked behind ([^/\s]+\/\d{1,10}\/\d{1,15})$/;

/**
 * A record as a dead letter: as it was, with where it came from and why it is here. Its partition is the origin's; where
 * the topic has fewer, the rest of the division.
 */
export function toLetterRecord(
  delivery: Lettered,
  names: SideTopicNames,
  nowMs: number,
): PlacedRecord {
  const { record, reason, lastOutcome, parkedBehind, attemptsSent, attemptsCounted } = delivery;
  const origin = delivery.origin ?? record;
  const status = reason === PARKED ? PARKED : lastOutcome === undefined ? "" : outcomeLabel(lastOutcome);
  const headers = {
    ...ownHeaders(record, delivery.origin),
    [Header.originTopic]: origin.topic,
    [Header.originPartition]: String(origin.partition),
    [Header.originOffset]: String(origin.offset),
    [Header.originTimestamp]: String(origin.timestampMs),
    [Header.status]: status,
    [Header.reason]: reason === PARKED ? `parked behind ${parkedBehind?.place}` : reason ?? "",
    ...(parkedBehind === undefined ? {} : { [Header.parkedCause]: causeText(parkedBehind.cause) }),
    [Header.problem]: excerptOf(lastOutcome),
    [Header.attempts]: String(attemptsSent),
    [Header.attemptsCounted]: String(attemptsCounted),
    [Header.deadLetteredAt]: new Date(nowMs).toISOString(),
  };
  return {
    topic: deadLetterTopicOf(origin.topic, names.groupId, names.deadLetterTopic),
    partition: origin.partition,
    key: record.key,
    value: record.value,
    headers,
  };
}

/**
 * A letter without what a topic may be too small for: its value, then the headers that came with the record, at last its
 * key and what the worker said. The origin says where the whole record lies.
 */
export function smallerLetters(letter: PlacedRecord): readonly PlacedRecord[] {
  const reserved = Object.entries(letter.headers).filter(([name]) => RESERVED.has(name));
  const headers = Object.fromEntries(reserved);
  const without = (omitted: string) => ({ [Header.omitted]: omitted });
  return [
    { ...letter, value: null, headers: { ...letter.headers, ...without("value") } },
    { ...letter, value: null, headers: { ...headers, ...without("value,headers") } },
    {
      ...letter,
      key: null,
      value: null,
      headers: { ...headers, [Header.problem]: "", ...without("value,headers,key") },
    },
  ];
}

/**
 * What is left of records that nobody can read: one letter for all of them, which says where they lie. Its partition is
 * theirs, and it cannot be replayed.
 */
export function toUnreadLetter(range: UnreadRange, names: SideTopicNames, nowMs: number): PlacedRecord {
  const { topic, partition, from, to, records, timestampMs, why } = range;
  // A retry topic's records are lettered where those of its source are.
  const source = isRetryTopic(topic, names)
    ? topic.slice(0, -retryTopicOf("", names.groupId, names.retryTopic).length)
    : topic;
  return {
    topic: deadLetterTopicOf(source, names.groupId, names.deadLetterTopic),
    partition,
    key: null,
    value: null,
    headers: {
      [Header.originTopic]: topic,
      [Header.originPartition]: String(partition),
      [Header.originOffset]: String(from),
      [Header.originTimestamp]: String(timestampMs),
      [Header.status]: UNREADABLE,
      [Header.reason]: `${UNREADABLE_BATCH}: ${records} records, offsets ${from} to ${to}`,
      [Header.problem]: why.slice(0, PROBLEM_CHARS_MAX),
      [Header.attempts]: "0",
      [Header.attemptsCounted]: "0",
      [Header.replays]: "0",
      [Header.deadLetteredAt]: new Date(nowMs).toISOString(),
      [Header.omitted]: "batch",
    },
  };
}

/** Headers of a replay: what was said about the last time goes, the origin stays, and the count that stops loops grows. */
export function replayHeaders(record: KafkaRecord, replays: number): KafkaRecord["headers"] {
  const kept = Object.entries(record.headers).filter(([name]) => !OF_THE_LAST_TIME.has(name));
  return {
    ...Object.fromEntries(kept),
    [Header.replays]: String(replays + 1),
    [Header.replayedFrom]: recordPosition(record),
  };
}

/** Reads a record of a dead-letter topic. */
export function toDeadLetter(record: KafkaRecord): DeadLetter {
  const { topic, partition, offset, key, value } = record;
  const text = (name: string) => headerText(record.headers[name]);
  const [status, said] = [text(Header.status) ?? "", text(Header.reason) ?? ""];
  const behind = BEHIND.exec(said)?.[1];
  const reason = behind === undefined ? said : PARKED;
  const isIncomplete = record.headers[Header.omitted] !== undefined;
  const at = Date.parse(text(Header.deadLetteredAt) ?? "");
  return {
    topic,
    partition,
    offset,
    origin: originOf(record),
    key: key === null ? null : bytesAsText(key),
    bytes: (key?.length ?? 0) + (value?.length ?? 0),
    status,
    reason,
    behind,
    cause: intern(
      behind === undefined
        ? { reason: groupReason(reason, isIncomplete), status, problem: problemTypeOf(text(Header.problem)) }
        : parseCause(text(Header.parkedCause) ?? PARKED),
    ),
    attempts: count(text(Header.attempts)) ?? 0,
    attemptsCounted: count(text(Header.attemptsCounted)),
    replays: count(text(Header.replays)) ?? 0,
    atMs: Number.isNaN(at) ? record.timestampMs : at,
    replayedFrom: text(Header.replayedFrom),
    isIncomplete,
  };
}

function groupReason(reason: string, isIncomplete: boolean): string {
  if (reason.startsWith(UNREADABLE_BATCH)) return UNREADABLE_BATCH;
  return isIncomplete ? TOO_LARGE : reason;
}

/** What the worker said when a record was dead-lettered. */
export function problemOf({ headers }: Pick<KafkaRecord, "headers">): string {
  return headerText(headers[Header.problem]) ?? "";
}

/** Where the record of a letter or a replay was read first, and of which letter it is a replay. */
export function letterOriginOf(record: Pick<KafkaRecord, "headers">): LetterOrigin | undefined {
  const origin = originOf(record);
  const [, letter] = /\/(\d{1,15})$/.exec(headerText(record.headers[Header.replayedFrom]) ?? "") ?? [];
  return origin && { ...origin, letter: letter === undefined ? undefined : Number(letter) };
}

/** Bytes for people: text where they are UTF-8, `base64:…` where not. */
export function bytesAsText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // A copy: kafkajs's Buffer has the method, but a type of its own.
    return `base64:${new Uint8Array(bytes).toBase64()}`;
  }
}

/** Where a record was read first, as its headers say; undefined where they do not. */
function originOf({ headers }: Pick<KafkaRecord, "headers">): Origin | undefined {
  const topic = headerText(headers[Header.originTopic]);
  const stamp = headerText(headers[Header.originTimestamp]);
  const timestampMs = stamp === "-1" ? -1 : count(stamp);
  const partition = count(headerText(headers[Header.originPartition]));
  const offset = count(headerText(headers[Header.originOffset]));
  if (
    topic === undefined || !TOPIC.test(topic) || partition === undefined || offset === undefined ||
    timestampMs === undefined
  ) {
    return undefined;
  }
  return { topic, partition, offset, timestampMs };
}

/** The headers that came with the record. On a source topic ours prove nothing, since any producer can set them. */
function ownHeaders({ headers }: KafkaRecord, origin: Origin | undefined): KafkaRecord["headers"] {
  if (origin === undefined) return { ...carryHeaders(headers), [Header.replays]: "0" };
  const from = headers[Header.replayedFrom];
  return {
    ...carriedHeaders(headers),
    [Header.replays]: headerText(headers[Header.replays]) ?? "0",
    ...(from === undefined ? {} : { [Header.replayedFrom]: from }),
  };
}

function excerptOf(last: Outcome | undefined): string {
  if (last === undefined) return "";
  return last.kind === "answer" ? last.excerpt ?? "" : last.detail.slice(0, PROBLEM_CHARS_MAX);
}

/** The `type` of an RFC 9457 body; bodies of another kind differ each time, so they name no cause. */
function problemTypeOf(excerpt: string | undefined): string {
  // The excerpt may be cut anywhere, so it is not always JSON.
  const [, quoted] = /"type"\s*:\s*("(?:[^"\\]|\\.){1,200}")/.exec(excerpt ?? "") ?? [];
  if (quoted === undefined) return "";
  try {
    return JSON.parse(quoted);
  } catch {
    return "";
  }
}

/** Thousands of dead letters share a few causes. */
const causes: Map<string, LetterCause> = new Map();
const CAUSES_MAX = 10_000;

function intern(cause: LetterCause): LetterCause {
  const { reason, status, problem } = cause;
  const name = `${reason}\n${status}\n${problem}`;
  const known = causes.get(name);
  if (known === undefined && causes.size < CAUSES_MAX) causes.set(name, cause);
  return known ?? cause;
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
