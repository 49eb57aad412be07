// KafkaRecord: bytes as they were, numbers as numbers; what everybody but the Kafka adapter calls a record.

/** A header value; a name may have several. */
export type HeaderValue = Uint8Array | string | (Uint8Array | string)[] | undefined;

/** One record. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The record's own timestamp, in ms since the epoch. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  /** Null for a tombstone. */
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, HeaderValue>>;
}

/** The text of a header that has one value; undefined where it has none or several. */
export function headerText(value: HeaderValue): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined;
}
