// The lines of a streamed batch: one record a line on the way there, one answer a line on the way back. Both sides use it.

import { isUtf8 } from "node:buffer";
import { RequestHeader } from "./protocol.ts";

/** Path under `WORKER_URL` that takes a batch. */
export const BATCH_PATH = "/classify/batch";

/** The media type of both directions: JSON, a line each. */
export const NDJSON = "application/x-ndjson";

/** Response header with which a worker says that it takes batches. */
export const BATCH_HEADER = "ackpool-batch";

/** Most lines of one batch. */
export const BATCH_LINES_MAX = 64;

/** Says in an answer that its worker takes batches. */
export function offerBatches(response: Response): Response {
  response.headers.set(BATCH_HEADER, `ndjson; max=${BATCH_LINES_MAX}`);
  return response;
}

/** A record as it would be a request of its own: lower-case header names, null for a tombstone's body. */
export interface BatchRecord {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

/** A worker's answer about one record. */
export interface AnswerLine {
  /** The record's `Idempotency-Key`. */
  readonly key: string;
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The RFC 9457 body, where there is one. */
  readonly problem: unknown;
}

/** How many lines a worker takes at once, by its {@link BATCH_HEADER}; 0 where it takes no such batches. */
export function batchSizeOf(offer: string | undefined): number {
  if (offer === undefined) return 0;
  const [kind = "", ...parameters] = offer.toLowerCase().split(";").map((part) => part.trim());
  if (kind !== "ndjson") return 0;
  const max = parameters.map((each) => /^max\s*=\s*"?(\d{1,6})"?$/.exec(each)?.[1]).find(Boolean);
  return Math.min(BATCH_LINES_MAX, Number(max ?? BATCH_LINES_MAX));
}

/** Whether a content type, with or without parameters, is {@link NDJSON}. */
export function isNdjson(contentType: string): boolean {
  return contentType.split(";")[0]?.trim().toLowerCase() === NDJSON;
}

/** Headers that have a member of their own in a line, and its type. */
const MEMBERS = {
  [RequestHeader.idempotencyKey]: ["key", "string"],
  [RequestHeader.timestamp]: ["timestamp", "number"],
  [RequestHeader.attempt]: ["attempt", "number"],
  [RequestHeader.deadline]: ["deadlineMs", "number"],
  [RequestHeader.traceparent]: ["traceparent", "string"],
  "content-type": ["contentType", "string"],
} as const satisfies Record<string, readonly [string, "string" | "number"]>;

/** Writes a record as a line, its end included. A number that is none as text stays a header. */
export function writeRecordLine({ headers, body }: BatchRecord): string {
  const line: Record<string, unknown> = { key: headers[RequestHeader.idempotencyKey] };
  const others: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (name === RequestHeader.tombstone) continue;
    const [member, type] = Object.hasOwn(MEMBERS, name) ? MEMBERS[name as keyof typeof MEMBERS] : [];
    if (member === undefined || (type === "number" && String(Number(value)) !== value)) others[name] = value;
    else line[member] = type === "number" ? Number(value) : value;
  }
  for (const _ in others) {
    line["headers"] = others;
    break;
  }
  if (body === null) line["tombstone"] = true;
  else if (isUtf8(body)) line["value"] = decoder.decode(body);
  else line["valueBase64"] = body.toBase64();
  return `${JSON.stringify(line)}\n`;
}

/** Reads a record's line back; undefined where it is none. Members that nobody knows are passed over. */
export function readRecordLine(text: string): BatchRecord | undefined {
  const line = objectOf(text);
  if (line === undefined || typeof line["key"] !== "string") return undefined;
  const headers: Record<string, string> = textsOf(line["headers"]);
  for (const [name, [member, type]] of Object.entries(MEMBERS)) {
    const value = line[member];
    const given: string = typeof value;
    if (given === type) headers[name] = String(value);
  }
  if (line["tombstone"] === true) {
    return { headers: { ...headers, [RequestHeader.tombstone]: "true" }, body: null };
  }
  const body = bodyOf(line);
  return body && { headers, body };
}

/** Writes an answer as a line, its end included. */
export function writeAnswerLine({ key, status, headers, problem }: AnswerLine): string {
  const line: Record<string, unknown> = { key, status };
  if (Object.keys(headers).length > 0) line["headers"] = headers;
  if (problem !== undefined) line["problem"] = problem;
  return `${JSON.stringify(line)}\n`;
}

/** Reads an answer's line; undefined where it is none. */
export function readAnswerLine(text: string): AnswerLine | undefined {
  const line = objectOf(text);
  const { key, status, problem, headers } = line ?? {};
  if (typeof key !== "string" || typeof status !== "number") return undefined;
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  return { key, status, headers: textsOf(headers), problem: problem ?? undefined };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** A JSON object; undefined for anything else. */
function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Header fields of a line; what is no text is passed over. */
function textsOf(headers: unknown): Record<string, string> {
  const entries = typeof headers === "object" && headers !== null ? Object.entries(headers) : [];
  return Object.fromEntries(
    entries.flatMap(([name, value]) => typeof value === "string" ? [[name.toLowerCase(), value]] : []),
  );
}

function bodyOf({ value, valueBase64 }: Readonly<Record<string, unknown>>): Uint8Array | undefined {
  if (typeof value === "string") return encoder.encode(value);
  if (typeof valueBase64 !== "string") return undefined;
  try {
    return Uint8Array.fromBase64(valueBase64);
  } catch {
    return undefined;
  }
}
