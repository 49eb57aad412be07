// The tickets of the worker's benchmarks: about as long as people's are.

/** A ticket of some 300 characters; each is different. */
export function benchTicket(at: number): { readonly subject: string; readonly body: string } {
  return {
    subject: `Invoice ${at} was charged twice`,
    body: `Hello, this month invoice ${at} was charged twice to our card. `.repeat(4),
  };
}
