// Ports on this machine: free ones for the replicas, and whether one that was asked for is taken.

// Below the range the kernel gives to outgoing connections, so that none takes a replica's port while it restarts.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** As many different free ports as asked for. */
export function freePorts(count: number, random: () => number = Math.random): number[] {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LOWEST + Math.floor(random() * (HIGHEST - LOWEST));
    if (!isTaken(port)) ports.add(port);
  }
  return [...ports];
}

/** Whether something listens on a port of an address already. */
export function isTaken(port: number, hostname = "0.0.0.0"): boolean {
  try {
    Deno.listen({ hostname, port }).close();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return true;
    throw error;
  }
}
