// Waiting for a condition, with a limit: tests never sleep a fixed time.

/**
 * Asks again every `everyMs` until the answer is neither undefined nor false, and returns it.
 *
 * @throws {Error} naming `what` when `timeoutMs` has passed; the last thrown error is its cause.
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  { timeoutMs = 30_000, everyMs = 50 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    } catch (error) {
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`${what} did not come about in ${timeoutMs} ms`, { cause });
}
