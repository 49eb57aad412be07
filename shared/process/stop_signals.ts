// Stop signals of a program: the first one stops it in order, a second one ends it at once.

import { EXIT } from "./exit_codes.ts";

/** The same signal twice within this time may be one, in ms: a terminal's Ctrl-C reaches us directly and once more through `deno task`. */
const SAME_SIGNAL_WITHIN_MS = 500;

/** How a program stops. */
export interface StopOptions {
  readonly signals?: readonly Deno.Signal[];
  /** Of those: two within {@link SAME_SIGNAL_WITHIN_MS} count as one. */
  readonly sentTwice?: readonly Deno.Signal[];
  /** Ends the process. */
  readonly second?: () => void;
}

/**
 * Calls back on the first SIGTERM or SIGINT; a second one ends the process at once.
 *
 * @returns takes the handlers off again.
 */
export function onStopSignal(first: (signal: Deno.Signal) => void, options: StopOptions = {}): () => void {
  const { signals = ["SIGTERM", "SIGINT"], sentTwice = ["SIGINT"] } = options;
  const { second = () => Deno.exit(EXIT.interrupted) } = options;
  let firstMs: number | undefined;
  const handlers = signals.map((signal) => {
    const handler = () => {
      if (firstMs === undefined) {
        firstMs = performance.now();
        return first(signal);
      }
      const same = sentTwice.includes(signal) && performance.now() - firstMs < SAME_SIGNAL_WITHIN_MS;
      if (!same) second();
    };
    Deno.addSignalListener(signal, handler);
    return () => Deno.removeSignalListener(signal, handler);
  });
  return () => handlers.forEach((remove) => remove());
}
