// The resolver of names: the system's, or a DNS server that is asked directly.

import { lookup, Resolver as DnsClient } from "node:dns/promises";
import { isIPv6 } from "node:net";

/** Looks a host name's addresses up. Throws when the look-up fails. */
export type LookUp = (hostname: string) => Promise<readonly string[]>;

/** One place where a service is: RFC 2782. Weights are not looked at, as the pool balances by what it measures. */
export interface ServicePlace {
  readonly target: string;
  readonly port: number;
  /** Lower values are wanted first. */
  readonly priority: number;
}

/** Ways to look up. Each throws when a look-up fails; a name without records is an empty answer where that is known. */
export interface Resolver {
  readonly addresses: LookUp;
  readonly services: (name: string) => Promise<readonly ServicePlace[]>;
  /** For how long a server or cache may give the same answer, in ms (RFC 1035 section 3.2.1); undefined: not known. */
  readonly ttlMs?: (hostname: string) => Promise<number | undefined>;
}

/** Where a DNS server listens. */
export interface DnsServer {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

/** Patience with a DNS server, in ms. */
const TIMEOUT_MS = 2000;

/** Asks `server`, or the system where there is none. */
export function resolverFrom(server: DnsServer | undefined): Resolver {
  const asked = server && { nameServer: { ipAddr: server.address, port: server.port } };
  const options = () => ({ ...asked, signal: AbortSignal.timeout(TIMEOUT_MS) });
  return {
    addresses: server === undefined ? addressesBySystem : async (hostname) => {
      // A host with IPv4 and IPv6 addresses is not two replicas, so where there are both only IPv4 counts.
      const four = await orNone(Deno.resolveDns(hostname, "A", options()));
      return four.length > 0 ? four : await orNone(Deno.resolveDns(hostname, "AAAA", options()));
    },
    services: (name) => orNone(Deno.resolveDns(name, "SRV", options())),
    ttlMs: (hostname) => ttlOf(hostname, server),
  };
}

/** A name that is in a hosts file alone has none. */
async function ttlOf(hostname: string, server: DnsServer | undefined): Promise<number | undefined> {
  const client = new DnsClient({ timeout: TIMEOUT_MS, tries: 1 });
  if (server !== undefined) {
    client.setServers([
      isIPv6(server.address) ? `[${server.address}]:${server.port}` : `${server.address}:${server.port}`,
    ]);
  }
  const four = client.resolve4(hostname, { ttl: true });
  const records = await four.catch(() => client.resolve6(hostname, { ttl: true })).catch(() => []);
  return records.length === 0 ? undefined : 1000 * Math.min(...records.map(({ ttl }) => ttl));
}

/** Hosts file, then DNS. It does not tell a name that is gone from a look-up that failed: both throw. */
async function addressesBySystem(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname, { all: true });
  const family = found.some(({ family }) => family === 4) ? 4 : 6;
  return found.filter((each) => each.family === family).map(({ address }) => address);
}

/** "There is no such record" is an answer: the last replica has left the name. */
async function orNone<T>(answer: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
