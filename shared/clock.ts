// The clock for durations and deadlines. `Date.now` is for times of day: HTTP dates, records' timestamps, budgets a day.

/** Milliseconds since the epoch as it was when the process started: they never jump, whatever happens to the machine's clock. */
export function monotonicMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
