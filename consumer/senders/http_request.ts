// A record as an HTTP request: the value byte for byte, and headers that say where it stands in Kafka.

import { idempotencyKey, RequestHeader } from "../../shared/contract/protocol.ts";
import type { AttemptRequest } from "../../shared/pool/exchange/buffered.ts";
import { cloudEventHeaders } from "./cloud_event.ts";
import { headerText, type KafkaRecord } from "../records/record.ts";
import { recordPosition } from "../records/position.ts";

/** What may stand in an HTTP header value: RFC 9110 section 5.5, without obs-text. */
const HEADER_TEXT = /^[\t\x20-\x7e]+$/;
/** W3C Trace Context, version 00. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * One attempt as a request.
 *
 * @param attempt POSTs of this record, this one included, from 1.
 * @param timeoutMs how long we wait for the answer.
 */
export function toRequest(record: KafkaRecord, attempt: number, timeoutMs: number): AttemptRequest {
  const { value, headers } = record;
  const type = headerText(headers["content-type"]);
  return {
    headers: {
      ...cloudEventHeaders(headers),
      "content-type": type !== undefined && HEADER_TEXT.test(type) ? type : "application/json",
      [RequestHeader.idempotencyKey]: keyOf(record),
      [RequestHeader.timestamp]: originTimestamp(headers) ?? String(record.timestampMs),
      [RequestHeader.attempt]: String(attempt),
      [RequestHeader.deadline]: String(timeoutMs),
      [RequestHeader.traceparent]: traceparentOf(record, attempt),
      ...(value === null ? { [RequestHeader.tombstone]: "true" } : {}),
    },
    body: value,
    timeoutMs,
  };
}

function originTimestamp(headers: KafkaRecord["headers"]): string | undefined {
  const text = headerText(headers["ackpool-origin-timestamp"]) ?? "";
  return /^\d{1,15}$/.test(text) ? text : undefined;
}

/** A replay is the same record as before: it has the key of the place it was first read at, which the fence compares. */
function keyOf({ topic, partition, offset, headers }: KafkaRecord): string {
  const [originTopic, originPartition, originOffset] = ["topic", "partition", "offset"].map((part) =>
    headerText(headers[`ackpool-origin-${part}`])
  );
  const replayed = /^[A-Za-z0-9._-]{1,249}$/.test(originTopic ?? "") &&
    /^\d{1,10}$/.test(originPartition ?? "") && /^\d{1,19}$/.test(originOffset ?? "");
  return replayed
    ? idempotencyKey(originTopic ?? "", Number(originPartition), originOffset ?? "")
    : idempotencyKey(topic, partition, String(offset));
}

/** The record's own trace goes on; one without starts a trace that all its attempts share, a span each. */
function traceparentOf(record: KafkaRecord, attempt: number): string {
  const { topic, partition, offset, headers } = record;
  // CloudEvents carries a trace as an extension attribute, too.
  const carried = headerText(headers["traceparent"]) ?? headerText(headers["ce_traceparent"]);
  if (carried !== undefined && TRACEPARENT.test(carried)) return carried;
  const trace = hex(recordPosition(record), 4);
  return `00-${trace}-${hex(`${offset}#${attempt}/${partition}/${topic}`, 2)}-01`;
}

/** `words` times 32 bits of a text, spread by FNV-1a with different starts. */
function hex(text: string, words: number): string {
  let digits = "";
  for (let word = 0; word < words; word++) {
    let hash = (0x811c9dc5 + word * 0x9e3779b9) | 0;
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
    digits += (hash >>> 0).toString(16).padStart(8, "0");
  }
  return digits;
}
