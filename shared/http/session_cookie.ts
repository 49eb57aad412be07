// Session cookie: what a browser proves itself with after a login. It is sealed with the token, so no server keeps it.

import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** How long a login lasts, in ms. */
export const SESSION_MS = 12 * 3_600_000;

/**
 * A session that ends after {@link SESSION_MS}. Every replica that knows the token takes it, also after a restart, and
 * none does once the token is replaced.
 */
export function sealSession(token: string, nowMs: number): string {
  const endsMs = String(Math.floor(nowMs) + SESSION_MS);
  return `${endsMs}.${seal(token, endsMs)}`;
}

/** The token that sealed a session; undefined where none of these did, or the session is over. */
export function tokenOfSession(
  session: string | undefined,
  tokens: readonly string[],
  nowMs: number,
): string | undefined {
  const [, endsMs = "", given = ""] = /^(\d{1,16})\.([0-9a-f]{64})$/.exec(session ?? "") ?? [];
  if (given === "" || Number(endsMs) <= nowMs || Number(endsMs) > nowMs + SESSION_MS) return undefined;
  // Every token is tried, so that the time taken does not show which one came close.
  return tokens.filter((token) => timingSafeEqual(Buffer.from(seal(token, endsMs)), Buffer.from(given)))[0];
}

/** A worker's: replicas stand behind one address, so that the name is the same for all. */
export const WORKER_SESSION_COOKIE = "ackpool-worker-session";

/** A host's programs share its cookies whatever their ports are, so that the port is in the name. */
export function sessionCookieName(host: string | undefined): string {
  return `ackpool-session-${/:(\d{1,5})$/.exec(host ?? "")?.[1] ?? "80"}`;
}

function seal(token: string, endsMs: string): string {
  return createHmac("sha256", token).update(`ackpool session until ${endsMs}`).digest("hex");
}
