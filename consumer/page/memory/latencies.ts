// Latencies: how long things took in the last minute, in buckets that are 9% apart, for percentiles.

/** Buckets an octave; a percentile is off by half a bucket at most. */
const PER_OCTAVE = 8;
const BUCKETS = 40 * PER_OCTAVE;
/** A minute, in parts that are forgotten one by one. */
const SLOTS = 6;
const SLOT_MS = 10_000;

/** Percentiles in ms; null where nothing was measured. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Counts durations of the last minute. Memory is the same however many there are. */
export class Latencies {
  readonly #slots = Array.from({ length: SLOTS }, () => new Uint32Array(BUCKETS));
  #slot = 0;
  #untilMs = 0;

  /** Something took so long. */
  record(tookMs: number, nowMs: number): void {
    this.#turn(nowMs);
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(Math.max(0, tookMs) + 1) * PER_OCTAVE));
    const counts = this.#slots[this.#slot];
    if (counts !== undefined) counts[bucket] = (counts[bucket] ?? 0) + 1;
  }

  percentiles(nowMs: number): Percentiles {
    this.#turn(nowMs);
    const sums = new Float64Array(BUCKETS);
    let total = 0;
    for (const counts of this.#slots) {
      counts.forEach((count, bucket) => sums[bucket] = (sums[bucket] ?? 0) + count);
      total += counts.reduce((sum, count) => sum + count, 0);
    }
    const at = (share: number) => total === 0 ? null : valueAt(sums, total * share);
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#untilMs) return;
    const turns = Math.min(SLOTS, 1 + Math.floor((nowMs - this.#untilMs) / SLOT_MS));
    for (let turn = 0; turn < turns; turn++) {
      this.#slot = (this.#slot + 1) % SLOTS;
      this.#slots[this.#slot]?.fill(0);
    }
    this.#untilMs = nowMs + SLOT_MS;
  }
}

/** The middle of the bucket that holds the value of this rank. */
function valueAt(sums: Float64Array, rank: number): number {
  let seen = 0;
  const bucket = sums.findIndex((count) => (seen += count) >= rank);
  return Math.round(2 ** ((bucket + 0.5) / PER_OCTAVE) - 1);
}
