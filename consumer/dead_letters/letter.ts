// A dead letter as its headers tell it: where it came from, why it is here, how often it was replayed.

import { headerText, type KafkaRecord } from "../records/record.ts";

/** Where a record was read first. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
}

/** One dead letter, without its value. */
export interface DeadLetter {
  /** The dead-letter topic it is in, and where. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Undefined where somebody else wrote the record: it cannot be replayed. */
  readonly origin: Origin | undefined;
  /** The key as text, `base64:…` where it is not UTF-8. */
  readonly key: string | null;
  /** Size of key and value. */
  readonly bytes: number;
  /** What the last attempt came to: a status, `timeout`, `refused`, `reset`. */
  readonly status: string;
  readonly reason: string;
  /** What it is parked behind, as `topic/partition/offset` where that was read first; undefined where it is not. */
  readonly behind: string | undefined;
  /** Reason, status and problem type: what dead letters are grouped by. A parked one has that of what it is behind. */
  readonly cause: string;
  readonly attempts: number;
  readonly replays: number;
  /** When it was dead-lettered, in ms since the epoch. */
  readonly atMs: number;
  /** The dead letter whose replay it is, as `topic/partition/offset`. */
  readonly replayedFrom: string | undefined;
}

/** Headers of ours that a replay takes with it or reads. */
export const Header = {
  originTopic: "ackpool-origin-topic",
  originPartition: "ackpool-origin-partition",
  originOffset: "ackpool-origin-offset",
  originTimestamp: "ackpool-origin-timestamp",
  status: "ackpool-status",
  reason: "ackpool-reason",
  problem: "ackpool-problem",
  attempts: "ackpool-attempts",
  replays: "ackpool-replays",
  deadLetteredAt: "ackpool-dead-lettered-at",
  replayedFrom: "ackpool-replayed-from",
  /** Of a parked one: the cause of what it is parked behind. */
  parkedCause: "ackpool-parked-cause",
} as const;

const BEHIND = /^parked behind ([^/\s]+\/\d{1,10}\/\d{1,15})$/;

/** Reads a record of a dead-letter topic. */
export function toDeadLetter(record: KafkaRecord): DeadLetter {
  const { topic, partition, offset, key, value } = record;
  const text = (name: string) => headerText(record.headers[name]);
  const [status, said] = [text(Header.status) ?? "", text(Header.reason) ?? ""];
  const behind = BEHIND.exec(said)?.[1];
  const reason = behind === undefined ? said : "parked";
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
        ? [reason, status, problemType(text(Header.problem))].filter(Boolean).join(" ") || "unknown"
        : text(Header.parkedCause) ?? reason,
    ),
    attempts: count(text(Header.attempts)) ?? 0,
    replays: count(text(Header.replays)) ?? 0,
    atMs: Number.isNaN(at) ? record.timestampMs : at,
    replayedFrom: text(Header.replayedFrom),
  };
}

/** Where a record was read first, as its headers say; undefined where they do not. */
export function originOf({ headers }: Pick<KafkaRecord, "headers">): Origin | undefined {
  const topic = headerText(headers[Header.originTopic]);
  const [partition, offset, timestampMs] = [
    Header.originPartition,
    Header.originOffset,
    Header.originTimestamp,
  ].map((name) => count(headerText(headers[name])));
  if (!topic || partition === undefined || offset === undefined || timestampMs === undefined) {
    return undefined;
  }
  return { topic, partition, offset, timestampMs };
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

/** Thousands of dead letters share a few causes. */
const causes: Map<string, string> = new Map();
const CAUSES_MAX = 10_000;

function intern(cause: string): string {
  const known = causes.get(cause);
  if (known === undefined && causes.size < CAUSES_MAX) causes.set(cause, cause);
  return known ?? cause;
}

/** The `type` of an RFC 9457 body; bodies of another kind differ each time, so they name no cause. */
function problemType(problem: string | undefined): string | undefined {
  // The excerpt may be cut anywhere, so it is not always JSON.
  return /"type"\s*:\s*"([^"\\]{1,200})"/.exec(problem ?? "")?.[1];
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
