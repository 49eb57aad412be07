// Waiting that ends in time: pauses, work with a time limit, and work that is tried until it succeeds.

/** Waits, but not longer than until `signal` fires. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Waits for work, but at most `ms`; says whether it ended in time. Work that fails has ended, too. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  const done = work.then(() => true, () => true);
  return await Promise.race([done, late]).finally(() => clearTimeout(timer));
}

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
        // Work cannot be cancelled; an error that comes after the signal is dropped.
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
