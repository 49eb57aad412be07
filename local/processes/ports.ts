// Ports: free ones on this machine, whether one is taken, and whether an address answers at all.

import { dirname } from "node:path";

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

/** The ports a file keeps, as far as they are free, and others for the rest; the file keeps these from now on. */
export async function keptPorts(file: string, count: number): Promise<number[]> {
  const kept = (await readPorts(file)).slice(0, count);
  const ports = kept.map((port) => isTaken(port) ? undefined : port);
  const others = freePorts(count);
  const all = others.map((other, at) => ports[at] ?? other);
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, JSON.stringify(all));
  return all;
}

async function readPorts(file: string): Promise<readonly number[]> {
  try {
    const kept: unknown = JSON.parse(await Deno.readTextFile(file));
    const isPort = (each: unknown) =>
      typeof each === "number" && Number.isInteger(each) && each > 0 && each < 65_536;
    return Array.isArray(kept) && kept.every(isPort) ? kept : [];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return [];
    throw error;
  }
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
