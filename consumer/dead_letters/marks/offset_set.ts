// OffsetSet: a set of offsets at one bit each, so that millions of dead letters can be counted.

const CHUNK_OFFSETS = 8192;

/** Offsets of one partition. */
export class OffsetSet {
  /** By number; chunks that are empty are left out, for compaction leaves wide gaps. */
  readonly #chunks: Map<number, Uint8Array> = new Map();

  add(offset: number): void {
    const number = Math.floor(offset / CHUNK_OFFSETS);
    const chunk = this.#chunks.get(number) ?? new Uint8Array(CHUNK_OFFSETS / 8);
    this.#chunks.set(number, chunk);
    const [byte, bit] = placeOf(offset);
    chunk[byte] = (chunk[byte] ?? 0) | bit;
  }

  /** Number of offsets for which `counts` is true. */
  count(counts: (offset: number) => boolean): number {
    let count = 0;
    for (const [number, chunk] of this.#chunks) {
      for (let at = 0; at < CHUNK_OFFSETS; at++) {
        const [byte, bit] = placeOf(at);
        if (((chunk[byte] ?? 0) & bit) !== 0 && counts(number * CHUNK_OFFSETS + at)) count += 1;
      }
    }
    return count;
  }
}

function placeOf(offset: number): readonly [byte: number, bit: number] {
  const at = offset % CHUNK_OFFSETS;
  return [at >> 3, 1 << (at & 7)];
}
