// HTTP request of a record: the value byte for byte, and headers that say where it stands in Kafka.

import { idempotencyKey, RequestHeader } from "../../shared/contract/protocol.ts";
import type { AttemptRequest } from "../../shared/pool/exchange/buffered.ts";
import { cloudEventHeaders } from "./cloud_event.ts";
import { headerText, type KafkaRecord } from "../records/record.ts";
import { type Origin, recordPosition } from "../records/position.ts";

/** What may stand in an HTTP header value: RFC 9110 section 5.5, without obs-text. */
const HEADER_TEXT = /^[\t\x20-\x7e]+$/;
/** W3C Trace Context, version 00. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * One attempt as a request. A replay is the same record as before: it has the key and the timestamp of the place where
 * it was first read, which the fence compares.
 *
 * @param origin where a replay was first read; undefined for any other record, whatever its headers say.
 * @param attempt POSTs of this record, this one included, from 1.
 * @param timeoutMs how long we wait for the answer.
 */
export function toRequest(
  record: KafkaRecord,
  origin: Origin | undefined,
  attempt: number,
  timeoutMs: number,
): AttemptRequest {
  const { value, headers } = record;
  const { topic, partition, offset, timestampMs } = origin ?? record;
  const type = textOf(headers, "content-type");
  return {
    headers: {
      ...(headers["ce_specversion"] === undefined ? {} : cloudEventHeaders(headers)),
      "content-type": type !== undefined && HEADER_TEXT.test(type) ? type : "application/json",
      [RequestHeader.idempotencyKey]: idempotencyKey(topic, partition, String(offset)),
      [RequestHeader.timestamp]: String(timestampMs),
      [RequestHeader.attempt]: String(attempt),
      [RequestHeader.deadline]: String(timeoutMs),
      ...(origin === undefined ? {} : { [RequestHeader.replays]: replaysOf(headers) }),
      [RequestHeader.traceparent]: traceparentOf(record, attempt),
      ...(value === null ? { [RequestHeader.tombstone]: "true" } : {}),
    },
    body: value,
    timeoutMs,
  };
}

/** Every replay has its count; a worker that bounds what a record costs lets each try anew. */
function replaysOf(headers: KafkaRecord["headers"]): string {
  const text = headerText(headers[RequestHeader.replays]) ?? "";
  return /^[1-9]\d{0,8}$/.test(text) ? text : "1";
}

/** Most records have none of the headers that are asked for. */
function textOf(headers: KafkaRecord["headers"], name: string): string | undefined {
  const value = headers[name];
  return value === undefined ? undefined : headerText(value);
}

/** The record's own trace goes on; one without starts a trace that all its attempts share, a span each. */
function traceparentOf(record: KafkaRecord, attempt: number): string {
  const { headers } = record;
  // CloudEvents carries a trace as an extension attribute, too.
  const carried = textOf(headers, "traceparent") ?? textOf(headers, "ce_traceparent");
  if (carried !== undefined && TRACEPARENT.test(carried)) return carried;
  return traceOf(recordPosition(record), attempt);
}

/** A trace of a record's place and a span of its attempt: 64 bits of hash, in one walk over the text. */
function traceOf(position: string, attempt: number): string {
  let [one, two] = [0x811c9dc5 | 0, 0x9e3779b9 | 0];
  for (let index = 0; index < position.length; index++) {
    const code = position.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ code, 0x5bd1e995) ^ (two >>> 15);
  }
  const span = Math.imul(attempt, 0x9e3779b9);
  return `00-${hex(one)}${hex(two)}${hex(one + two)}${hex(one ^ ~two)}-${hex(one ^ span)}${
    hex(two + span)
  }-01`;
}

/** Eight digits of a number, mixed as MurmurHash3 does in the end. */
function hex(number: number): string {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0).toString(16).padStart(8, "0");
}
