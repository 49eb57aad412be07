// Sessions of people's browsers: a login with a token stands for that token, in this worker and every other one.

import type { Context, MiddlewareHandler } from "hono";
import { monotonicMs } from "../../shared/clock.ts";
import type { AccessToken } from "../../shared/http/bearer_token.ts";
import { WORKER_SESSION_COOKIE } from "../../shared/http/session_cookie.ts";
import { type LoginConfig, sessionOf } from "../../shared/page/login.tsx";
import { problem } from "./problems.ts";

/** What browsers log in to: tokens that may read labels. */
export function loginConfig(tokens: readonly AccessToken[]): LoginConfig {
  return {
    tokens: tokens.filter(({ scopes }) => scopes.includes("read")).map(({ token }) => token),
    variable: "INGRESS_TOKEN or WORKER_TOKEN that may read labels",
    cookie: () => WORKER_SESSION_COOKIE,
    nowMs: monotonicMs,
  };
}

/** The header that a session stands for. What changes something has to come from a page of ours. */
export function sessionBearer(c: Context, login: LoginConfig): string | undefined {
  if (login.tokens.length === 0) return undefined;
  const token = sessionOf(c, login);
  if (token === undefined || (c.req.method !== "GET" && !isOwnPage(c))) return undefined;
  return `Bearer ${token}`;
}

/** Refuses what a page of another origin sends. */
export const ownPages: MiddlewareHandler = async (c, next) =>
  c.req.method === "GET" || isOwnPage(c)
    ? await next()
    : problem("forbidden", "A page of another site may not do this");

/** By what the browser says; behind the ingress the host is the replica's, and the ingress says which was asked for. */
function isOwnPage(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin";
  const origin = c.req.header("origin") ?? "";
  const host = c.req.header("x-forwarded-host") ?? c.req.header("host");
  return URL.canParse(origin) && new URL(origin).host === host;
}
