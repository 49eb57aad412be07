// RecentRecords: what became of the latest records, attempt by attempt. Nothing of what is in a record is kept.

import { type Outcome, outcomeLabel, problemText } from "../../../shared/contract/outcome.ts";
import { ResponseHeader } from "../../../shared/contract/protocol.ts";
import { ruleFor } from "../../../shared/contract/status_contract.ts";
import type { Delivery } from "../../core/delivery.ts";
import { recordPosition } from "../../records/position.ts";
import { headerText, type KafkaRecord } from "../../records/record.ts";

/** What was decided last about a record. */
export type Decision = "settled" | "retrying" | "dead-lettered";

/** One attempt. */
export interface AttemptJson {
  /** ISO 8601. */
  readonly ended: string;
  readonly took_ms: number;
  /** `200`, `503`, `timeout`. */
  readonly status: string;
  /** What was said beside the status. */
  readonly said: string | null;
}

/** A record's way so far. */
export interface RecordJson {
  /** `topic/partition/offset`. */
  readonly at: string;
  /** The record's own timestamp; null where it has none. */
  readonly written: string | null;
  readonly decision: Decision;
  /** When that was decided. */
  readonly decided: string;
  /** The latest ones, oldest first. */
  readonly attempts: readonly AttemptJson[];
  /** As the worker says; null where it does not. */
  readonly ticket_id: string | null;
  readonly label: string | null;
  readonly confidence: number | null;
  /** Why it is a dead letter. */
  readonly reason: string | null;
  /** Of the record's `traceparent`. */
  readonly trace_id: string | null;
}

/** An attempt's end, as the runtime sees it. */
export interface SeenAttempt {
  readonly outcome: Outcome;
  readonly tookMs: number;
  /** The answer's. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What is looked for; all that is given must hold. */
export interface RecordFilter {
  readonly decision?: string | undefined;
  readonly label?: string | undefined;
  readonly status?: string | undefined;
  readonly topic?: string | undefined;
  /** A ticket's id, or `topic/partition/offset`. */
  readonly find?: string | undefined;
}

const RECORDS_MAX = 2000;
const ATTEMPTS_MAX = 20;
/** Time between two records that went well at once, and between two new ones that did not, in ms. */
const SETTLED_EVERY_MS = 50;
const FAILED_EVERY_MS = 5;

/** Keeps the latest 2,000: all that failed as far as that goes, and some twenty a second of those that went well. */
export class RecentRecords {
  readonly #records = new Map<string, RecordJson>();
  #settledMs = -Infinity;
  #failedMs = -Infinity;

  /** An attempt came back. */
  attemptFinished(delivery: Delivery<KafkaRecord>, seen: SeenAttempt, nowMs: number): void {
    const settles = ruleFor(seen.outcome).disposition === "settle";
    const isNew = delivery.attemptsSent === 1;
    if (isNew && settles && nowMs - this.#settledMs < SETTLED_EVERY_MS) return;
    if (isNew && !settles && nowMs - this.#failedMs < FAILED_EVERY_MS) return;
    if (settles) this.#settledMs = nowMs;
    else this.#failedMs = nowMs;
    const before = this.#records.get(recordPosition(delivery.record)) ?? beginningOf(delivery.record);
    this.#keep({
      ...before,
      decision: settles ? "settled" : "retrying",
      decided: iso(nowMs),
      attempts: [...before.attempts, attemptOf(seen, nowMs)].slice(-ATTEMPTS_MAX),
      ...(settles ? labelOf(seen.headers) : {}),
    });
  }

  /** Its dead letter is written. */
  deadLettered({ record, reason }: Delivery<KafkaRecord>, nowMs: number): void {
    const before = this.#records.get(recordPosition(record)) ?? beginningOf(record);
    this.#keep({ ...before, decision: "dead-lettered", decided: iso(nowMs), reason: reason ?? null });
  }

  /** The latest first. */
  latest(filter: RecordFilter, limit: number): readonly RecordJson[] {
    return [...this.#records.values()].reverse().filter((each) => fits(filter, each)).slice(0, limit);
  }

  #keep(record: RecordJson): void {
    this.#records.delete(record.at);
    this.#records.set(record.at, record);
    if (this.#records.size <= RECORDS_MAX) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }
}

function fits({ decision, label, status, topic, find }: RecordFilter, record: RecordJson): boolean {
  return (decision === undefined || record.decision === decision) &&
    (label === undefined || record.label === label) &&
    (status === undefined || record.attempts.some((each) => each.status === status)) &&
    (topic === undefined || record.at.startsWith(`${topic}/`)) &&
    (find === undefined || record.at === find || record.ticket_id === find);
}

function beginningOf(record: KafkaRecord): RecordJson {
  return {
    at: recordPosition(record),
    written: record.timestampMs < 0 ? null : iso(record.timestampMs),
    decision: "retrying",
    decided: "",
    attempts: [],
    ticket_id: null,
    label: null,
    confidence: null,
    reason: null,
    trace_id: traceIdOf(record),
  };
}

function attemptOf({ outcome, tookMs }: SeenAttempt, nowMs: number): AttemptJson {
  const said = problemText(outcome) ?? null;
  return { ended: iso(nowMs), took_ms: Math.round(tookMs), status: outcomeLabel(outcome), said };
}

function labelOf(headers: Readonly<Record<string, string>>) {
  const [label, confidence] = (headers[ResponseHeader.label] ?? "").split(";");
  const ticketId = headers[ResponseHeader.ticketId];
  const sure = Number(confidence === undefined || confidence === "" ? NaN : confidence);
  return {
    ticket_id: ticketId === undefined ? null : decoded(ticketId),
    label: label === undefined || label === "" ? null : decoded(label),
    confidence: Number.isFinite(sure) ? sure : null,
  };
}

/** Another worker's header may hold anything. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text).slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}

/** W3C Trace Context section 3.2.2.3. */
function traceIdOf({ headers }: KafkaRecord): string | null {
  const text = headerText(headers["traceparent"]) ?? "";
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(text)?.[1] ?? null;
}

const iso = (ms: number) => Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : "";
