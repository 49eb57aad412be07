// The tickets of the worker's benchmarks: about as long as people's are.

/** Tickets before the clock starts: code that runs for days is not judged by its first second. */
export const WARM_UP = 3_000;

/** A ticket of some 300 characters; each is different. */
export function benchTicket(at: number): { readonly subject: string; readonly body: string } {
  return {
    subject: `Invoice ${at} was charged twice`,
    body: `Hello, this month invoice ${at} was charged twice to our card. `.repeat(4),
  };
}
