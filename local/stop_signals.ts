// Ctrl-C and its kin for `start`: the first one stops in order, a second one ends at once.

import { SAME_SIGNAL_WITHIN_MS } from "../shared/process/main.ts";

/** Calls back on the first signal, and on a later second one. SIGHUP is a terminal that was closed. */
export function onStopSignals(first: () => void, second: () => void, nowMs: () => number): void {
  let firstMs: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      if (firstMs === undefined) {
        firstMs = nowMs();
        first();
      } else if (nowMs() - firstMs >= SAME_SIGNAL_WITHIN_MS) second();
    });
  }
}
