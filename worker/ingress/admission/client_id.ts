// Client of a call, for the rate limit and the log: a token's owner, or an address.

import { isIPv6 } from "node:net";

/** What tells callers apart. */
export interface Credentials {
  /** The name of a good token's bearer; undefined where nobody is asked for one, or it is wrong. */
  readonly bearer: string | undefined;
  /** The address at the other end of the connection. */
  readonly peer: string | undefined;
  readonly forwardedFor: string | undefined;
}

/**
 * A name for the client that holds no secret.
 *
 * @param proxies how many proxies of ours are in front. Each adds the address it sees to the end of `X-Forwarded-For`;
 * what stands before those was written by the caller, who may write anything.
 */
export function clientOf({ bearer, peer, forwardedFor }: Credentials, proxies: number): string {
  if (bearer !== undefined) return `token:${bearer}`;
  const hops = (forwardedFor ?? "").split(",").map((hop) => hop.trim()).filter((hop) => hop !== "");
  const address = proxies === 0 ? peer : hops.at(-proxies) ?? peer;
  return address === undefined ? "unknown" : networkOf(address);
}

/** One person has a whole /64 of IPv6 addresses (RFC 6177). */
function networkOf(address: string): string {
  const plain = address.replace(/^\[|\](:\d+)?$/g, "");
  if (!isIPv6(plain)) return plain.slice(0, 45);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill("0"), ...right];
  return `${groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(":")}::/64`;
}
