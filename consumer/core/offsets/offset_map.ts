// OffsetMap: what is settled above the watermark, and attempt counts, as text for the metadata of a commit.

import type { Ledger } from "./ledger.ts";
import { bitmapBytes, fromBitmap, toBitmap } from "./settled_bitmap.ts";

/** Kafka's default `offset.metadata.max.bytes`: a longer commit is refused. */
export const METADATA_BYTES_MAX = 4096;

/** What is said about an unsettled record. */
export interface Attempted {
  /** Attempts that counted against it. */
  readonly attemptsCounted: number;
  /** Since when it has been answered "later" and nothing else, in ms. */
  readonly refusedSinceMs?: number | undefined;
}

/** What an earlier owner left: offsets settled above the watermark and attempts of those that are not. */
export interface OffsetMap {
  /** Settled ranges of offsets, first to last inclusive, ascending. */
  readonly settled: readonly (readonly [number, number])[];
  readonly attempts: ReadonlyMap<number, number>;
  /** For how many minutes records have been answered "later"; left out where none was. */
  readonly refusedMinutes?: ReadonlyMap<number, number>;
}

/** Read metadata: a map, nothing at all, or why it is not trusted. */
export type DecodedMap =
  | { readonly kind: "map"; readonly map: OffsetMap }
  | { readonly kind: "none" }
  | { readonly kind: "untrusted"; readonly why: string };

/** Of a map that has settled offsets as runs, and of one that has them as bits: as long as each other. */
const PREFIX = "ackpool:1:";
const BITS_PREFIX = "ackpool:2:";
const MINUTE_MS = 60_000;
/** Ages are told up to this: two bytes. */
const MINUTES_MAX = 16_383;
const CHECKSUM_BYTES = 4;
/** Bytes of a base offset and two counts. */
const HEADER_BYTES = 8 + 3 + 3;

/** Bytes that runs and attempt counts may take: three of them become four characters. */
function roomIn(bytesMax: number): number {
  return Math.floor((bytesMax - PREFIX.length) / 4) * 3 - CHECKSUM_BYTES - HEADER_BYTES;
}

/**
 * Most entries (runs, attempt counts, and what may still become one) that surely fit when they lie in a span of so many
 * offsets and no record has more than `attemptsMax` attempts. An entry is two numbers. A gap or length of n takes at
 * most n / 128 bytes more than one, and neither all runs nor all gaps between attempts exceed the span. At least one.
 */
export function entriesMax(span: number, attemptsMax: number, bytesMax = METADATA_BYTES_MAX): number {
  const room = roomIn(bytesMax);
  const small = 1 + varintLength(attemptsMax);
  const bySum = Math.floor((room - 2 * Math.ceil(span / 128)) / small);
  const each = varintLength(span) + varintLength(Math.max(span, attemptsMax));
  return Math.max(1, bySum, Math.floor(room / each));
}

/**
 * Whether a map of bits surely fits, however the records in a span of so many offsets settle.
 *
 * @param counted records that may have to be named with attempts that count against them.
 */
export function bitsFit(
  span: number,
  counted: number,
  attemptsMax: number,
  bytesMax = METADATA_BYTES_MAX,
): boolean {
  return bitmapBytes(span) + counted * (varintLength(span) + varintLength(attemptsMax)) <= roomIn(bytesMax);
}

/**
 * The map of a ledger as commit metadata; empty when there is nothing to say. A map that would not fit is cut at the
 * end, which is always safe: what it leaves out is delivered again. Ages are the first to be left out.
 */
export function encodeOffsetMap(
  ledger: Ledger<Attempted>,
  bytesMax = METADATA_BYTES_MAX,
  nowMs = 0,
): string {
  const base = ledger.committable();
  const runs: number[] = [];
  const attempts: number[] = [];
  const settled: [number, number][] = [];
  /** The same with ages: an attempt count that follows with a gap of 0 says that the number before it is an age. */
  const aged: number[] = [];
  let runEnd = base;
  let lastAttempted = base;
  let lastAged = base;
  ledger.walk({
    settled(first, last) {
      runs.push(first - runEnd, last + 1 - first);
      settled.push([first, last]);
      runEnd = last + 1;
    },
    unsettled(offset, { attemptsCounted: counted, refusedSinceMs = nowMs }) {
      const minutes = Math.min(MINUTES_MAX, Math.floor((nowMs - refusedSinceMs) / MINUTE_MS));
      if (minutes > 0) aged.push(offset - lastAged, minutes, 0, counted);
      else if (counted > 0) aged.push(offset - lastAged, counted);
      if (minutes > 0 || counted > 0) lastAged = offset;
      if (counted === 0) return;
      attempts.push(offset - lastAttempted, counted);
      lastAttempted = offset;
    },
  });
  const room = roomIn(bytesMax);
  if (aged.length > attempts.length && lengthOf(runs) + lengthOf(aged) <= room) {
    return pack(base, runs, aged, room);
  }
  if (runs.length === 0 && attempts.length === 0) return "";
  const attemptBytes = lengthOf(attempts);
  if (lengthOf(runs) + attemptBytes <= room || bitmapBytes(runEnd - base) + attemptBytes > room) {
    return pack(base, runs, attempts, room);
  }
  return packBits(base, toBitmap(base, settled), attempts);
}

/** Reads commit metadata back. It is trusted only if it is ours, undamaged and about exactly this committed offset. */
export function decodeOffsetMap(metadata: string | null | undefined, committed: number): DecodedMap {
  if (!metadata) return { kind: "none" };
  if (!metadata.startsWith(PREFIX) && !metadata.startsWith(BITS_PREFIX)) {
    return untrusted("it is not Ackpool's");
  }
  const bytes = fromBase64(metadata.slice(PREFIX.length));
  if (bytes === undefined || bytes.length <= CHECKSUM_BYTES) return untrusted("it is not base64");
  const body = bytes.subarray(CHECKSUM_BYTES);
  const checksum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (checksum !== fnv1a(body)) return untrusted("its checksum is wrong");
  const read = metadata.startsWith(BITS_PREFIX) ? readBits(body) : readRuns(body);
  if (read === undefined) return untrusted("it ends too early");
  const { base, map } = read;
  if (base !== committed) return untrusted(`it is about offset ${base}, not ${committed}`);
  return { kind: "map", map };
}

/** A map, and the committed offset that it is about; undefined where the bytes end too early. */
type ReadMap = { readonly base: number; readonly map: OffsetMap } | undefined;

function readRuns(body: Uint8Array): ReadMap {
  const [base, runNumbers, ...rest] = readVarints(body) ?? [];
  if (base === undefined || runNumbers === undefined) return undefined;
  if (runNumbers % 2 !== 0 || rest.length < runNumbers || (rest.length - runNumbers) % 2 !== 0) {
    return undefined;
  }
  return {
    base,
    map: { settled: ranges(base, rest.slice(0, runNumbers)), ...counts(base, rest.slice(runNumbers)) },
  };
}

/** Layout of a map of bits, behind the checksum: varints base and count of bytes; the bytes; (gap, attempts) pairs. */
function readBits(body: Uint8Array): ReadMap {
  const headerEnd = endOfVarints(body, 2);
  const [base, count] = readVarints(body.subarray(0, headerEnd)) ?? [];
  if (base === undefined || count === undefined || headerEnd + count > body.length) return undefined;
  const numbers = readVarints(body.subarray(headerEnd + count));
  if (numbers === undefined || numbers.length % 2 !== 0) return undefined;
  const settled = fromBitmap(base, body.subarray(headerEnd, headerEnd + count));
  return { base, map: { settled, ...counts(base, numbers) } };
}

function packBits(base: number, bits: Uint8Array, attempts: readonly number[]): string {
  const body = [...writeVarints([base, bits.length]), ...bits, ...writeVarints(attempts)];
  return BITS_PREFIX + checked(Uint8Array.from(body));
}

function untrusted(why: string): DecodedMap {
  return { kind: "untrusted", why };
}

/** Layout: checksum, then varints: base, count of run numbers, (gap, length) pairs, (gap, attempts) pairs. */
function pack(base: number, runs: readonly number[], attempts: readonly number[], room: number): string {
  const fits: number[] = [base, 0];
  let left = room;
  const take = (numbers: readonly number[]): number => {
    let taken = 0;
    for (; taken + 1 < numbers.length; taken += 2) {
      const first = numbers[taken] ?? 0;
      const second = numbers[taken + 1] ?? 0;
      left -= varintLength(first) + varintLength(second);
      if (left < 0) break;
      fits.push(first, second);
    }
    return taken;
  };
  fits[1] = take(runs);
  take(attempts);
  return PREFIX + checked(writeVarints(fits));
}

/** With its checksum in front, as base64. */
function checked(body: Uint8Array): string {
  const bytes = new Uint8Array(CHECKSUM_BYTES + body.length);
  new DataView(bytes.buffer).setUint32(0, fnv1a(body));
  bytes.set(body, CHECKSUM_BYTES);
  return btoa(String.fromCharCode(...bytes));
}

function ranges(base: number, numbers: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  let at = base;
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    const start = at + (numbers[index] ?? 0);
    at = start + (numbers[index + 1] ?? 0);
    if (at > start) found.push([start, at - 1]);
  }
  return found;
}

/** Releases before ages were told read the later of two numbers for an offset, which is the attempt count. */
function counts(base: number, numbers: readonly number[]): Omit<OffsetMap, "settled"> {
  const attempts = new Map<number, number>();
  const refusedMinutes = new Map<number, number>();
  let at = base;
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    at += numbers[index] ?? 0;
    const value = numbers[index + 1] ?? 0;
    const isAge = index + 3 < numbers.length && numbers[index + 2] === 0;
    if (isAge) refusedMinutes.set(at, value);
    const counted = isAge ? numbers[index + 3] ?? 0 : value;
    if (isAge) index += 2;
    if (counted > 0) attempts.set(at, counted);
  }
  return { attempts, ...(refusedMinutes.size === 0 ? {} : { refusedMinutes }) };
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1;
  return length;
}

const lengthOf = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + varintLength(each), 0);

/** Where the first `count` numbers end. */
function endOfVarints(bytes: Uint8Array, count: number): number {
  let left = count;
  for (const [at, byte] of bytes.entries()) if (byte < 128 && --left === 0) return at + 1;
  return bytes.length;
}

/** Unsigned LEB128. Plain arithmetic rather than shifts: offsets pass 2^32. */
function writeVarints(numbers: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (const value of numbers) {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

function readVarints(bytes: Uint8Array): number[] | undefined {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte & 127) * scale;
    if (!Number.isSafeInteger(value)) return undefined;
    if (byte & 128) {
      scale *= 128;
    } else {
      numbers.push(value);
      value = 0;
      scale = 1;
    }
  }
  return scale === 1 ? numbers : undefined;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** FNV-1a, 32 bits: damage is found, malice is not what it is for. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
