// The minimum of a function with one valley, by golden-section search. Pure.

const RATIO = (Math.sqrt(5) - 1) / 2;
const ROUNDS = 40;

/** The place between `low` and `high` where `height` is lowest. */
export function lowestBetween(low: number, high: number, height: (at: number) => number): number {
  let [from, to] = [low, high];
  for (let round = 0; round < ROUNDS; round++) {
    const left = to - RATIO * (to - from);
    const right = from + RATIO * (to - from);
    if (height(left) < height(right)) to = right;
    else from = left;
  }
  return (from + to) / 2;
}
