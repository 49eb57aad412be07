// KafkaRecord: a record with its bytes as they were and its numbers as numbers.

/** A header value; a name may have several. Kafka's headers may have no value: null. */
export type HeaderValue = Uint8Array | string | null | (Uint8Array | string | null)[] | undefined;

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

/** Bytes of key, value and headers. */
export function recordBytes({ key, value, headers }: Pick<KafkaRecord, "key" | "value" | "headers">): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, values] of Object.entries(headers)) {
    for (const each of Array.isArray(values) ? values : [values]) bytes += sizeOf(name) + sizeOf(each);
  }
  return bytes;
}

function sizeOf(value: Uint8Array | string | null | undefined): number {
  return typeof value === "string" ? new TextEncoder().encode(value).length : value?.length ?? 0;
}

/** The text of a header that has one value; undefined where it has none or several. */
export function headerText(value: HeaderValue): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined;
}
