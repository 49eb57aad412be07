// RecordSet: reads the records out of the bytes of a fetch, unpacked within bounds. Kafka's record batches, version 2.

import { Buffer } from "node:buffer";
import { CompressionCodecs } from "kafkajs";
import type { TopicPartition } from "../../records/position.ts";
import type { UnreadRange } from "../../records/unread_range.ts";
import { CorruptBatch, UNPACKED_BYTES_MAX } from "./codecs.ts";

/** A record as kafkajs has it. */
export interface FetchedRecord {
  readonly magicByte: number;
  readonly attributes: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
}

/** What kafkajs's filter of aborted records looks at. */
interface BatchContext {
  readonly producerId: string;
  readonly inTransaction: boolean;
}

/** A batch of which no record can be read, from the first offset that was asked for. */
export type UnreadBatch = Omit<UnreadRange, keyof TopicPartition>;

/** What of a partition could be read. */
export interface ReadRecords {
  readonly records: readonly FetchedRecord[];
  /** The batch after those records. */
  readonly unread: UnreadBatch | undefined;
}

/** What may still be taken from an answer. */
export interface ReadBudget {
  bytes: number;
  records: number;
}

interface BatchHeader {
  readonly end: number;
  readonly base: number;
  readonly last: number;
  readonly attributes: number;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly count: number;
  readonly context: BatchContext;
}

/** Where things stand in a batch: its magic byte, its records. */
const MAGIC_AT = 16;
const HEADER_BYTES = 61;
const MAGIC = 2;
const CODEC_MASK = 0x07;
const APPEND_TIME = 0x08;
const IN_TRANSACTION = 0x10;
const CONTROL = 0x20;

/** All of an answer together: more is fetched again. Small records cost more memory than they have bytes. */
export const newBudget = (): ReadBudget => ({ bytes: UNPACKED_BYTES_MAX, records: 20_000 });

/** Whether these bytes are batches that {@link readRecordSet} reads; older formats are kafkajs's own affair. */
export function isRecordSet(bytes: Buffer): boolean {
  return bytes.length > MAGIC_AT && bytes.readInt8(MAGIC_AT) === MAGIC;
}

/**
 * Reads records from `fetchOffset` on until the bytes end or the budget does; what is left is fetched again. One batch is
 * read whatever is left of the budget, so that reading goes on. A batch that cannot be read, or that unpacks to more than
 * {@link UNPACKED_BYTES_MAX}, ends the reading.
 */
export async function readRecordSet(
  bytes: Buffer,
  fetchOffset: number,
  budget: ReadBudget,
): Promise<ReadRecords> {
  const records: FetchedRecord[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const header = headerOf(bytes, at);
    // A fetch ends in the middle of a batch.
    if (header === undefined || header.end > bytes.length) break;
    if (header.last >= fetchOffset) {
      if (budget.bytes <= 0 || budget.records <= 0) break;
      try {
        const done = await readBatch(bytes.subarray(at, header.end), header, fetchOffset, budget, records);
        if (!done) break;
      } catch (error) {
        return {
          records: before(records, header.base),
          unread: unreadOf(header, fetchOffset, error as Error),
        };
      }
    }
    at = header.end;
  }
  return { records, unread: undefined };
}

/** @returns whether all of it was read. */
async function readBatch(
  batch: Buffer,
  header: BatchHeader,
  fetchOffset: number,
  budget: ReadBudget,
  records: FetchedRecord[],
): Promise<boolean> {
  const unpacked = await unpack(batch.subarray(HEADER_BYTES), header.attributes);
  budget.bytes -= unpacked.length;
  const cursor = new Cursor(unpacked);
  for (let n = 0; n < header.count; n++) {
    const record = readRecord(cursor, header, fetchOffset);
    if (record === undefined) continue;
    records.push(record);
    budget.records -= 1;
    if (budget.records <= 0 && n + 1 < header.count) return false;
  }
  // What compaction took away at its end, or all of it: reading goes on behind.
  if (Number(records.at(-1)?.offset ?? -1) < header.last) {
    records.push(placeholder(header.last, header.maxTimestamp, header.context));
  }
  return true;
}

async function unpack(bytes: Buffer, attributes: number): Promise<Buffer> {
  const kind = attributes & CODEC_MASK;
  if (kind === 0) return bytes;
  const codec = CompressionCodecs[kind as keyof typeof CompressionCodecs] as
    | (() => { decompress(bytes: Buffer): Promise<Buffer> })
    | undefined;
  if (codec === undefined) throw new CorruptBatch(`There is no codec ${kind}`);
  return bytes.length === 0 ? bytes : await codec().decompress(bytes);
}

/** Undefined where the bytes are no batch of this version: kafkajs would have read on, and we do not guess. */
function headerOf(bytes: Buffer, at: number): BatchHeader | undefined {
  if (bytes.readInt8(at + MAGIC_AT) !== MAGIC) return undefined;
  const base = Number(bytes.readBigInt64BE(at));
  const attributes = bytes.readInt16BE(at + 21);
  return {
    end: at + 12 + bytes.readInt32BE(at + 8),
    base,
    attributes,
    last: base + bytes.readInt32BE(at + 23),
    firstTimestamp: Number(bytes.readBigInt64BE(at + 27)),
    maxTimestamp: Number(bytes.readBigInt64BE(at + 35)),
    context: {
      producerId: String(bytes.readBigInt64BE(at + 43)),
      inTransaction: (attributes & IN_TRANSACTION) !== 0,
    },
    count: bytes.readInt32BE(at + 57),
  };
}

/** Undefined for a record below the offset that was asked for. */
function readRecord(cursor: Cursor, header: BatchHeader, fetchOffset: number): FetchedRecord | undefined {
  const end = cursor.length() + cursor.at;
  const attributes = cursor.byte();
  const timestampDelta = cursor.varint();
  const offset = header.base + cursor.varint();
  if (offset < fetchOffset) {
    cursor.to(end);
    return undefined;
  }
  const [key, value] = [cursor.bytes(), cursor.bytes()];
  const headers = readHeaders(cursor);
  cursor.to(end);
  const isAppendTime = (header.attributes & APPEND_TIME) !== 0;
  return {
    magicByte: MAGIC,
    attributes,
    timestamp: String(isAppendTime ? header.maxTimestamp : header.firstTimestamp + timestampDelta),
    offset: String(offset),
    key,
    value,
    headers,
    isControlRecord: (header.attributes & CONTROL) !== 0,
    batchContext: header.context,
  };
}

/** A name that comes several times has a list of values. */
function readHeaders(cursor: Cursor): FetchedRecord["headers"] {
  const headers = new Map<string, Buffer | Buffer[]>();
  for (let left = cursor.varint(); left > 0; left--) {
    const name = (cursor.bytes() ?? Buffer.alloc(0)).toString("utf8");
    const value = cursor.bytes() as Buffer;
    const before = headers.get(name);
    if (Array.isArray(before)) before.push(value);
    else headers.set(name, headers.has(name) ? [before as Buffer, value] : value);
  }
  return Object.fromEntries(headers);
}

const NO_CONTEXT: BatchContext = { producerId: "-1", inTransaction: false };

/** A record that nobody gets: it stands for offsets up to its own that have none. Timestamp in ms since the epoch. */
export function placeholder(offset: number, timestampMs: number, context = NO_CONTEXT): FetchedRecord {
  return {
    magicByte: MAGIC,
    attributes: 0,
    timestamp: String(timestampMs),
    offset: String(offset),
    key: null,
    value: null,
    headers: {},
    isControlRecord: true,
    batchContext: context,
  };
}

/** A batch is read wholly or not at all. */
const before = (records: readonly FetchedRecord[], base: number) =>
  records.filter(({ offset }) => Number(offset) < base);

const unreadOf = (header: BatchHeader, fetchOffset: number, { message }: Error): UnreadBatch => ({
  from: Math.max(header.base, fetchOffset),
  to: header.last,
  records: header.count,
  timestampMs: header.maxTimestamp,
  why: message,
});

/** Reads what Kafka writes with as few bytes as it can. */
class Cursor {
  at = 0;
  constructor(private readonly all: Buffer) {}

  to(end: number): void {
    if (end > this.all.length) throw new CorruptBatch("A record is cut off");
    this.at = end;
  }

  byte(): number {
    const byte = this.all[this.at++];
    if (byte === undefined) throw new CorruptBatch("A record is cut off");
    return byte;
  }

  /** Zigzag: 0, -1, 1, -2, … with seven bits a byte, the lowest first. */
  varint(): number {
    let value = 0;
    for (let factor = 1, bytes = 0; bytes < 10; factor *= 128, bytes++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new CorruptBatch("A number has too many bytes");
  }

  length(): number {
    const length = this.varint();
    if (length < 0) throw new CorruptBatch(`A record says that it has ${length} bytes`);
    return length;
  }

  /** Null where the length is -1. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const from = this.at;
    this.to(from + length);
    return this.all.subarray(from, this.at);
  }
}
