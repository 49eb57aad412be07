// The fence: when a ticket's event happened, read from a request's headers, and which of two events is the older.

import { parseIdempotencyKey, type RecordPosition, RequestHeader } from "../../shared/contract/protocol.ts";

/** One event about a ticket: where it was in the stream, if anywhere, and when. */
export interface TicketEvent {
  /** Absent on requests that did not come out of Kafka. */
  readonly position: RecordPosition | undefined;
  /** In ms since the epoch: the record's timestamp, or the request's arrival. */
  readonly atMs: number;
  /** How often an operator sent its record again; 0 where absent. */
  readonly replays?: number;
}

/** Reads the event out of a request; `nowMs` counts where the caller gives no timestamp. */
export function eventOf(header: (name: string) => string | undefined, nowMs: number): TicketEvent {
  const stated = header(RequestHeader.timestamp);
  const key = header(RequestHeader.idempotencyKey);
  const replays = header(RequestHeader.replays);
  return {
    position: key === undefined ? undefined : parseIdempotencyKey(key),
    atMs: stated !== undefined && /^\d{1,15}$/.test(stated) ? Number(stated) : nowMs,
    ...(replays !== undefined && /^[1-9]\d{0,8}$/.test(replays) ? { replays: Number(replays) } : {}),
  };
}

/** A topic made anew counts its offsets from 0: timestamps that differ by more than this overrule them, in ms. */
export const OFFSET_SPAN_MS = 60_000;

/**
 * Whether `event` may not overwrite what `than` wrote: inside one partition the smaller offset is older, unless the
 * timestamps contradict it by more than {@link OFFSET_SPAN_MS}; otherwise the earlier timestamp. The database decides
 * by the same rule (`ackpool.is_older`), in the statement that writes.
 */
export function isOlder(event: TicketEvent, than: TicketEvent): boolean {
  const [a, b] = [event.position, than.position];
  const samePartition = a !== undefined && b !== undefined && a.topic === b.topic &&
    a.partition === b.partition;
  if (!samePartition) return event.atMs < than.atMs;
  const contradicted = (a.offset < b.offset && event.atMs > than.atMs + OFFSET_SPAN_MS) ||
    (a.offset > b.offset && event.atMs < than.atMs - OFFSET_SPAN_MS);
  return contradicted ? event.atMs < than.atMs : a.offset < b.offset;
}
