// The endpoints behind `WORKER_URL`: URLs, names with several addresses, services (`dns+srv://`); each address is a replica.

import { isIP } from "node:net";
import type { Resolver, ServicePlace } from "./dns.ts";

/** A replica's address and the name it was found under. */
export interface Endpoint {
  /** Base URL with the address in place of the name. */
  readonly address: string;
  /** Scheme, address and port: what connections are kept for. */
  readonly origin: string;
  /** The URL's path without a slash at its end. */
  readonly basePath: string;
  /** The URL before the look-up; its host is what the `Host` header and TLS are about. */
  readonly url: URL;
  /** The configured URL it comes from. */
  readonly source: string;
}

/** Is told every name whose look-up failed. */
export type OnFailedLookUp = (hostname: string, error: unknown) => void;

/**
 * All endpoints behind some base URLs. A name whose look-up fails keeps the endpoints it had before.
 *
 * @param before what the last look-up found.
 */
export async function resolveEndpoints(
  urls: readonly URL[],
  before: readonly Endpoint[],
  resolver: Resolver,
  failed: OnFailedLookUp,
): Promise<Endpoint[]> {
  const found = await Promise.all(urls.map(async (url) => {
    const old = before.filter(({ source }) => source === url.href);
    if (url.protocol !== SERVICE_PROTOCOL) return await endpointsAt(url, url.href, old, resolver, failed);
    try {
      const hosts = hostsOf(url, await resolver.services(url.hostname));
      const ends = await Promise.all(hosts.map((host) => endpointsAt(host, url.href, old, resolver, failed)));
      return ends.flat();
    } catch (error) {
      failed(url.hostname, error);
      return old;
    }
  }));
  const unique = new Map(found.flat().map((endpoint) => [endpoint.address, endpoint]));
  return [...unique.values()];
}

const SERVICE_PROTOCOL = "dns+srv:";

/** Base URLs of the places with the lowest priority there is; a target of "." says that there is no service. */
function hostsOf(url: URL, places: readonly ServicePlace[]): URL[] {
  const first = Math.min(...places.map(({ priority }) => priority));
  return places
    .filter(({ priority, target }) => priority === first && target !== ".")
    .map(({ target, port }) => new URL(`http://${target.replace(/\.$/, "")}:${port}${url.pathname}`));
}

async function endpointsAt(
  url: URL,
  source: string,
  before: readonly Endpoint[],
  resolver: Resolver,
  failed: OnFailedLookUp,
): Promise<Endpoint[]> {
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(hostname)) return [endpointOf(url, hostname, source)];
  try {
    return [...await resolver.addresses(hostname)].sort().map((ip) => endpointOf(url, ip, source));
  } catch (error) {
    failed(hostname, error);
    return before.filter((endpoint) => endpoint.url.href === url.href);
  }
}

function endpointOf(url: URL, ip: string, source: string): Endpoint {
  const host = isIP(ip) === 6 ? `[${ip}]` : ip;
  const origin = `${url.protocol}//${host}${url.port === "" ? "" : `:${url.port}`}`;
  const basePath = url.pathname.replace(/\/+$/, "");
  return { address: origin + basePath, origin, basePath, url, source };
}
