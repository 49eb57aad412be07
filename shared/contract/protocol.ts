// Names that both sides of `POST /classify` use on the wire; nothing here decides anything.

/** Path under `WORKER_URL` that receives every record. */
export const CLASSIFY_PATH = "/classify";

/** Request headers of one attempt. */
export const RequestHeader = {
  /** `"topic/partition/offset"` as a quoted string: draft-ietf-httpapi-idempotency-key-header. */
  idempotencyKey: "idempotency-key",
  /** The record's timestamp in ms since the epoch. */
  timestamp: "ackpool-timestamp",
  /** POSTs of this record, this one included, from 1. */
  attempt: "ackpool-attempt",
  /** How often an operator sent this record again, from 1; absent where nobody did. */
  replays: "ackpool-replays",
  /** Milliseconds the caller will still wait. */
  deadline: "ackpool-deadline",
  /** `true` for a tombstone: a record with a key and no value. */
  tombstone: "ackpool-tombstone",
  /** W3C Trace Context. */
  traceparent: "traceparent",
} as const;

/** Response headers: the first two decide, the others are for people who look. */
export const ResponseHeader = {
  /** Overrides the status: `settle`, `retry` or `dead-letter`. */
  action: "ackpool-action",
  /** Seconds or an HTTP date: RFC 9110 section 10.2.3. */
  retryAfter: "retry-after",
  /** `total`, `llm` and `db` with their durations in ms (W3C Server Timing). */
  serverTiming: "server-timing",
  /** A success's label and, where it is known, its confidence: `feature_request;0.93`, percent-encoded. */
  label: "ackpool-label",
  /** The ticket's id, percent-encoded. */
  ticketId: "ackpool-ticket-id",
} as const;

/** The last segment of the problem type that says "the row is not there (yet)". */
export const TICKET_NOT_FOUND = "ticket-not-found";

/** The last segment of the problem type with which a replica says that it is about to stop. */
export const DRAINING = "draining";

/** A record's idempotency key, as the header carries it: a Structured Fields string (RFC 9651 section 3.3.3). */
export function idempotencyKey(topic: string, partition: number, offset: string | bigint): string {
  return `"${topic}/${partition}/${offset}"`;
}

/** Where a keyed request came from; the fence compares offsets only inside one partition. */
export interface RecordPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** Whether a key has the form of a record's position: nobody but the consumer may say it. */
export function isPositionKey(header: string): boolean {
  return POSITION_KEY.test(header);
}

/**
 * Reads a record's position back out of an `Idempotency-Key`; undefined when the key is somebody else's, or its numbers
 * are larger than Kafka's (a partition is an int32, an offset an int64).
 */
export function parseIdempotencyKey(header: string): RecordPosition | undefined {
  const [, topic, partition, offset] = POSITION_KEY.exec(header) ?? [];
  if (topic === undefined || partition === undefined || offset === undefined) return undefined;
  if (partition.length > 19 || offset.length > 19) return undefined;
  const position = { topic, partition: Number(partition), offset: BigInt(offset) };
  return position.partition <= PARTITION_MAX && position.offset <= OFFSET_MAX ? position : undefined;
}

const POSITION_KEY = /^\s*"([^"/]+)\/(\d+)\/(\d+)"\s*$/;
const PARTITION_MAX = 2 ** 31 - 1;
const OFFSET_MAX = 2n ** 63n - 1n;
