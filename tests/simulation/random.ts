// Randomness from a seed alone: a stream for choices in a row, and a hash for choices that belong to something.

/** A stream of numbers from 0 (inclusive) to 1 (exclusive): mulberry32. */
export function stream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A number from 0 to 1 that depends on nothing but its arguments. What belongs to one record or fault stays the same
 * when others are taken out of the schedule: that is what makes shrinking work.
 */
export function chance(seed: number, ...about: number[]): number {
  let hash = seed | 0;
  for (const each of about) {
    hash = Math.imul(hash ^ (each | 0), 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296;
}

/** One of several, by a number from 0 to 1. */
export function pick<const T>(of: readonly [T, ...T[]], at: number): T {
  return of[Math.floor(at * of.length)] ?? of[0];
}

/** A whole number from `least` to `most`, by a number from 0 to 1. */
export function whole(least: number, most: number, at: number): number {
  return least + Math.floor(at * (most - least + 1));
}
