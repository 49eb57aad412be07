// What `WORKER_URL` stands for: one URL, a list, or names with several addresses; every address is a replica.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/** Looks a host name's addresses up. Throws when the look-up fails. */
export type LookUp = (hostname: string) => Promise<readonly string[]>;

/**
 * The system's resolver: hosts file, then DNS. A host with IPv4 and IPv6 addresses is not two replicas, so where there
 * are both only IPv4 counts.
 */
export const lookUpBySystem: LookUp = async (hostname) => {
  const found = await lookup(hostname, { all: true });
  const family = found.some(({ family }) => family === 4) ? 4 : 6;
  return found.filter((each) => each.family === family).map(({ address }) => address);
};

/** A replica's address and the name it was found under. */
export interface Endpoint {
  /** Base URL with the address in place of the name. */
  readonly address: string;
  /** Scheme, address and port: what connections are kept for. */
  readonly origin: string;
  /** The URL's path without a slash at its end. */
  readonly basePath: string;
  /** The URL as configured; its host is what the `Host` header and TLS are about. */
  readonly url: URL;
}

/**
 * All endpoints behind some base URLs. A name whose look-up fails keeps the endpoints it had before.
 *
 * @param before what the last look-up found.
 * @param failed is told every name whose look-up failed.
 */
export async function resolveEndpoints(
  urls: readonly URL[],
  before: readonly Endpoint[],
  lookUp: LookUp,
  failed: (hostname: string, error: unknown) => void,
): Promise<Endpoint[]> {
  const found = await Promise.all(urls.map(async (url) => {
    const hostname = url.hostname.replace(/^\[|\]$/g, "");
    if (isIP(hostname)) return [endpointOf(url, hostname)];
    try {
      return [...await lookUp(hostname)].sort().map((ip) => endpointOf(url, ip));
    } catch (error) {
      failed(hostname, error);
      return before.filter((endpoint) => endpoint.url.href === url.href);
    }
  }));
  const unique = new Map(found.flat().map((endpoint) => [endpoint.address, endpoint]));
  return [...unique.values()];
}

function endpointOf(url: URL, ip: string): Endpoint {
  const host = isIP(ip) === 6 ? `[${ip}]` : ip;
  const origin = `${url.protocol}//${host}${url.port === "" ? "" : `:${url.port}`}`;
  const basePath = url.pathname.replace(/\/+$/, "");
  return { address: origin + basePath, origin, basePath, url };
}
