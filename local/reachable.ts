// Whether something answers at all at an address, before anything is built upon it.

const CONNECT_LIMIT_MS = 3_000;

/** Whether a TCP connection to one of the addresses (`host:port`) comes about. */
export async function anyReachable(addresses: readonly string[]): Promise<boolean> {
  const attempts = addresses.map(async (address) => {
    const { hostname, port } = new URL(`tcp://${address}`);
    const signal = AbortSignal.timeout(CONNECT_LIMIT_MS);
    (await Deno.connect({ hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port), signal })).close();
  });
  return await Promise.any(attempts).then(() => true, () => false);
}
