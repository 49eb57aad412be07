// Ctrl-C and its kin for `start`: the first one stops in order, a second one ends at once.

/** Signals closer together are one: a terminal's Ctrl-C reaches us by itself and once more through `deno task`. */
const SAME_WITHIN_MS = 500;

/** Calls back on the first signal, and on a later second one. SIGHUP is a terminal that was closed. */
export function onStopSignals(first: () => void, second: () => void, nowMs: () => number): void {
  let firstMs: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      if (firstMs === undefined) {
        firstMs = nowMs();
        first();
      } else if (nowMs() - firstMs >= SAME_WITHIN_MS) second();
    });
  }
}
