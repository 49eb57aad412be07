// Bearer tokens of requests: compared in constant time, two valid while one replaces the other.

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

/** The tokens in `WORKER_TOKEN`, a comma list; none where it is not set. */
export function tokensOf(list: string | undefined): readonly string[] {
  return (list ?? "").split(",").map((token) => token.trim()).filter((token) => token !== "");
}

/** What goes with every 401: RFC 6750 section 3. */
export const CHALLENGE = { "www-authenticate": "Bearer" };

/** What to send instead, for the detail of a 401. */
export function unauthorizedDetail(authorization: string | undefined): string {
  const send = "Send the header `Authorization: Bearer <token>` with a token of WORKER_TOKEN";
  if (authorization === undefined) return `${send}; no Authorization header came`;
  return /^Bearer +\S/i.test(authorization)
    ? `${send}; the one that came is none of them`
    : `${send}; the one that came does not begin with Bearer`;
}

/** Digests have one length, which comparing in constant time needs. */
function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
