// Ports: free ones on this machine, whether one is taken, and whether an address answers at all.

// Below the range the kernel gives to outgoing connections, so that none takes a replica's port while it restarts.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const CONNECT_LIMIT_MS = 3_000;

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

/** Whether a TCP connection to one of the addresses (`host:port`) comes about. */
export async function anyReachable(addresses: readonly string[]): Promise<boolean> {
  const attempts = addresses.map(async (address) => {
    const { hostname, port } = new URL(`tcp://${address}`);
    const signal = AbortSignal.timeout(CONNECT_LIMIT_MS);
    (await Deno.connect({ hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port), signal })).close();
  });
  return await Promise.any(attempts).then(() => true, () => false);
}
