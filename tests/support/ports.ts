// Free loopback ports for the processes that tests start.

// Below the kernel's ephemeral range, so that no outgoing connection takes a port while its owner restarts.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** As many different free ports as asked for. Another process could take one before it is used; that is rare. */
export function freePorts(count: number): number[] {
  const listeners: Deno.Listener[] = [];
  try {
    while (listeners.length < count) {
      const listener = listenOrNothing(LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST)));
      if (listener !== undefined) listeners.push(listener);
    }
    return listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
  } finally {
    for (const listener of listeners) listener.close();
  }
}

/** One free port. */
export function freePort(): number {
  return freePorts(1)[0] ?? 0;
}

function listenOrNothing(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}
