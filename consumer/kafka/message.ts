// Message: a kafkajs message as the record that the rest of the consumer speaks of.

import type { KafkaMessage } from "kafkajs";
import type { Received } from "../core/delivery.ts";
import type { KafkaRecord } from "../records/record.ts";

/** What a record costs besides its bytes, so that a flood of empty ones is bounded too. */
const OVERHEAD_BYTES = 64;

/** Offsets are 64 bits wide; we count in doubles, which are exact to 2^53 records a partition. */
export function toOffset(text: string): number {
  const offset = Number(text);
  if (!Number.isSafeInteger(offset)) throw new RangeError(`Cannot count beyond 2^53: offset is ${text}`);
  return offset;
}

/** A kafkajs message as the core takes it. `ordered`: its key decides its lane. */
export function toReceived(
  topic: string,
  partition: number,
  message: KafkaMessage,
  ordered: boolean,
): Received<KafkaRecord> {
  const { key, value } = message;
  const offset = toOffset(message.offset);
  const timestampMs = Number(message.timestamp);
  return {
    offset,
    timestampMs,
    bytes: OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0),
    // One character a byte: keys that differ in bytes differ as text, UTF-8 or not.
    key: ordered && key !== null ? key.toString("latin1") : null,
    record: { topic, partition, offset, timestampMs, key, value, headers: message.headers ?? {} },
  };
}
