// Waiting that ends when the process is asked to stop: pauses, and work that is tried until it succeeds.

import { pause } from "../../shared/wait.ts";

export { pause } from "../../shared/wait.ts";
export { within } from "../../shared/within.ts";

/** Tries work again and again, `everyMs` apart, until it succeeds; undefined when `signal` fired first. */
export async function tryUntil<T>(
  work: () => Promise<T>,
  { everyMs, signal, failed }: {
    readonly everyMs: number;
    readonly signal: AbortSignal;
    /** Is told why each time; what it throws ends the tries. */
    readonly failed: (error: Error) => void;
  },
): Promise<T | undefined> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<undefined>();
  const onAbort = () => stop(undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal.aborted) {
      try {
        const attempt = work();
        // The client library cannot be told to stop; what it says after the signal interests nobody.
        attempt.catch(() => {});
        return await Promise.race([attempt, stopped]);
      } catch (error) {
        failed(error as Error);
        await pause(everyMs, signal);
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  return undefined;
}
