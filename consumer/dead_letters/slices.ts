// How many dead letters go into one transaction: bounded in number, in bytes and by the rate.

const RECORDS_MAX = 500;
const BYTES_MAX = 4 * 1024 * 1024;

/**
 * The next of them, from index `from` on: at least one, and at a rate no more than half a second's worth, so that a
 * rate is a rate and not a burst a minute.
 */
export function nextSlice<T extends { readonly bytes: number }>(
  all: readonly T[],
  from: number,
  rate: number | undefined,
): readonly T[] {
  const most = rate === undefined ? RECORDS_MAX : Math.max(1, Math.min(RECORDS_MAX, Math.floor(rate / 2)));
  let bytes = 0;
  let to = from;
  while (to < all.length && to - from < most) {
    bytes += all[to]?.bytes ?? 0;
    if (to > from && bytes > BYTES_MAX) break;
    to += 1;
  }
  return all.slice(from, to);
}
