// SettledBitmap: settled offsets as one bit each, for an offset map whose runs are many and short.

/** Settled ranges of offsets, first to last inclusive, ascending. */
type Ranges = readonly (readonly [number, number])[];

/** Bytes for offsets from `base` on, `span` of them. */
export const bitmapBytes = (span: number): number => Math.ceil(span / 8);

/** A bit for each offset from `base` to the last settled one, the lowest first. */
export function toBitmap(base: number, ranges: Ranges): Uint8Array {
  const end = (ranges.at(-1)?.[1] ?? base - 1) + 1;
  const bytes = new Uint8Array(bitmapBytes(end - base));
  for (const [first, last] of ranges) {
    for (let at = first - base; at <= last - base; at++) {
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) | 1 << (at & 7);
    }
  }
  return bytes;
}

/** The ranges that {@link toBitmap} was given. */
export function fromBitmap(base: number, bytes: Uint8Array): [number, number][] {
  const ranges: [number, number][] = [];
  for (let at = 0; at < bytes.length * 8; at++) {
    if (((bytes[at >> 3] ?? 0) >> (at & 7) & 1) === 0) continue;
    const last = ranges.at(-1);
    if (last?.[1] === base + at - 1) last[1] = base + at;
    else ranges.push([base + at, base + at]);
  }
  return ranges;
}
