// Bearer tokens and what each lets its bearer do: compared in constant time, several valid while one replaces another.

import { createHash, timingSafeEqual } from "node:crypto";

/** What a call may do: say what only the consumer knows of a record, buy a label, read labels, overrule them. */
export type Scope = "deliver" | "classify" | "read" | "override";

/** The scopes that a person's token may name. */
export const PEOPLES_SCOPES = ["classify", "read", "override"] as const satisfies readonly Scope[];

/** A token and what it is good for. */
export interface AccessToken {
  readonly token: string;
  readonly scopes: readonly Scope[];
}

/** What one request may do. */
export interface Grant {
  readonly scopes: ReadonlySet<Scope>;
  /** A name for the bearer that holds no secret; undefined where nobody is asked for a token. */
  readonly bearer: string | undefined;
}

const EVERYTHING: Grant = { scopes: new Set(["deliver", ...PEOPLES_SCOPES]), bearer: undefined };

/**
 * Reads an `Authorization` header (RFC 6750 section 2.1): the grant of its token, or undefined where it has none of
 * ours. Without tokens every request may do everything.
 */
export function grantOf(
  tokens: readonly AccessToken[],
): (authorization: string | null | undefined) => Grant | undefined {
  if (tokens.length === 0) return () => EVERYTHING;
  const known = tokens.map(({ token, scopes }) => {
    const hash = digest(token);
    return { hash, grant: { scopes: new Set(scopes), bearer: hash.toString("hex").slice(0, 8) } };
  });
  return (authorization) => {
    const given = digest(tokenIn(authorization) ?? "");
    // Every token is compared, so that the time taken does not show which one came close.
    return known.filter(({ hash }) => timingSafeEqual(hash, given))[0]?.grant;
  };
}

/**
 * Deliveries and people are told apart by their tokens. Where people have none of their own, the delivery token opens
 * everything.
 *
 * @param delivery `WORKER_TOKEN`, a comma list.
 * @param people the tokens of `INGRESS_TOKEN`.
 */
export function accessTokens(
  delivery: string | undefined,
  people: readonly AccessToken[] = [],
): readonly AccessToken[] {
  const scopes: readonly Scope[] = people.length === 0
    ? ["deliver", ...PEOPLES_SCOPES]
    : ["deliver", "classify"];
  return [...tokensOf(delivery).map((token) => ({ token, scopes })), ...people];
}

/** The tokens of a comma list; none where it is not set. */
export function tokensOf(list: string | undefined): readonly string[] {
  return (list ?? "").split(",").map((token) => token.trim()).filter((token) => token !== "");
}

/** Whether a token is one of these, in a time that does not show how close it came. */
export function isOneOf(tokens: readonly string[], token: string): boolean {
  const given = digest(token);
  return tokens.filter((each) => timingSafeEqual(digest(each), given)).length > 0;
}

/** What goes with every 401: RFC 6750 section 3. */
export const CHALLENGE = { "www-authenticate": "Bearer" };

/** What goes with every 403: RFC 6750 section 3.1. */
export function scopeChallenge(scope: Scope): Readonly<Record<string, string>> {
  return { "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"` };
}

/** What to send instead, for the detail of a 401. */
export function unauthorizedDetail(authorization: string | null | undefined): string {
  const send =
    "Send the header `Authorization: Bearer <token>` with a token of WORKER_TOKEN or INGRESS_TOKEN";
  if (authorization === undefined || authorization === null) return `${send}; no Authorization header came`;
  return /^Bearer +\S/i.test(authorization)
    ? `${send}; the one that came is none of them`
    : `${send}; the one that came does not begin with Bearer`;
}

/** The detail of a 403. */
export function forbiddenDetail(scope: Scope): string {
  return `This token is good, but not for this: INGRESS_TOKEN has to give it the scope ${scope}`;
}

function tokenIn(authorization: string | null | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
}

/** Digests have one length, which comparing in constant time needs. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
