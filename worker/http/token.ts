// Whether a request carries the worker's token: compared in constant time, two tokens valid while one replaces the other.

import { createHash, timingSafeEqual } from "node:crypto";

/** Tells whether an `Authorization` header is good (RFC 6750). Without tokens every request is. */
export function tokenCheck(tokens: readonly string[]): (authorization: string | undefined) => boolean {
  const accepted = tokens.map(digest);
  return (authorization) => {
    if (accepted.length === 0) return true;
    const given = digest(/^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? "");
    // Every token is compared, so that the time does not tell which one came close.
    return accepted.map((token) => timingSafeEqual(token, given)).includes(true);
  };
}

/** Digests have one length, which comparing in constant time needs. */
function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
