// Message: a kafkajs message as the record that the rest of the consumer speaks of, its bytes copied out of the fetch.

import { Buffer } from "node:buffer";
import type { IHeaders, KafkaMessage } from "kafkajs";
import type { Received } from "../core/delivery.ts";
import type { HeaderValue, KafkaRecord } from "../records/record.ts";

/** What a record costs in memory besides its bytes: the objects that hold it, its delivery, and its place in the ledger. */
const OVERHEAD_BYTES = 512;
/** What a header costs besides its name and value. */
const HEADER_OVERHEAD_BYTES = 64;

/** Offsets are 64 bits wide; we count in doubles, which are exact to 2^53 records a partition. */
export function toOffset(text: string): number {
  const offset = Number(text);
  if (!Number.isSafeInteger(offset)) throw new RangeError(`Cannot count beyond 2^53: offset is ${text}`);
  return offset;
}

/**
 * A kafkajs message as the core takes it. Its bytes are parts of a whole fetch, which one record that waits for an hour
 * would keep in memory: they are copied, and counted as they are.
 *
 * @param ordered its key decides its lane.
 */
export function toReceived(
  topic: string,
  partition: number,
  message: KafkaMessage,
  ordered: boolean,
): Received<KafkaRecord> {
  const { key, value } = message;
  const headers = headersOf(message);
  const own = copier(sizeOf(key) + sizeOf(value) + headerBytes(headers));
  const offset = toOffset(message.offset);
  const timestampMs = Number(message.timestamp);
  return {
    offset,
    timestampMs,
    bytes: OVERHEAD_BYTES + own.size + HEADER_OVERHEAD_BYTES * headers.length,
    // One character a byte: keys that differ in bytes differ as text, UTF-8 or not.
    key: ordered && key !== null ? key.toString("latin1") : null,
    record: {
      topic,
      partition,
      offset,
      timestampMs,
      key: key && own.copy(key),
      value: value && own.copy(value),
      headers: Object.fromEntries(headers.map(([name, value]) => [name, copyHeader(value, own.copy)])),
    },
  };
}

type Copy = (bytes: Uint8Array) => Uint8Array;

/** Copies parts of a record one after another into memory of the record's own. */
function copier(size: number): { readonly size: number; readonly copy: Copy } {
  // Not from Node's pool, which the next records would share.
  const all = Buffer.allocUnsafeSlow(size);
  let used = 0;
  return {
    size,
    copy: (bytes) => {
      all.set(bytes, used);
      used += bytes.length;
      return all.subarray(used - bytes.length, used);
    },
  };
}

function copyHeader(value: HeaderValue, copy: Copy): HeaderValue {
  if (Array.isArray(value)) return value.map((each) => each instanceof Uint8Array ? copy(each) : each);
  return value instanceof Uint8Array ? copy(value) : value;
}

function headersOf({ headers = {} }: KafkaMessage): readonly (readonly [name: string, value: HeaderValue])[] {
  return Object.entries(headers as Record<string, HeaderValue>);
}

/** Headers for kafkajs, which cannot write one without a value: it becomes an empty one. */
export function toKafkaHeaders(headers: KafkaRecord["headers"]): IHeaders {
  const sent = Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [[name, Array.isArray(value) ? value.map((each) => each ?? "") : value ?? ""]];
  });
  return Object.fromEntries(sent);
}

const sizeOf = (bytes: Uint8Array | null) => bytes?.length ?? 0;

function headerBytes(headers: ReturnType<typeof headersOf>): number {
  let size = 0;
  for (const [, value] of headers) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each instanceof Uint8Array) size += each.length;
    }
  }
  return size;
}
