// Access to the operator's side: who may read dead letters and act, and how much one may ask for at once.

import type { Context, MiddlewareHandler } from "hono";
import { monotonicMs } from "../../shared/clock.ts";
import { CHALLENGE, grantOf, tokensOf } from "../../shared/http/bearer_token.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { readBytes } from "../../shared/http/read_bytes.ts";
import { within } from "../../shared/wait.ts";
import { sessionCookieName } from "../../shared/http/session_cookie.ts";
import { type LoginConfig, sessionOf } from "../../shared/page/login.tsx";

/** The largest request body, in bytes: filters and counts are short. */
const BODY_BYTES_MAX = 65_536;
/** Time for a body to arrive, in ms. */
const BODY_MS = 10_000;
/** The rest of the request is not read. */
const CLOSE = { connection: "close" };
/** Requests that read dead letters at once: each reads whole topics. */
const READS_MAX = 4;

/**
 * Lets a request through that carries the token, or the session of a browser that has logged in with one. Without a token of its own the side listens on loopback, and what asks
 * has to call it by a name of this machine: a page that has its own name lead here does not (DNS rebinding). A page of
 * another origin may change nothing in either case.
 */
export function accessCheck(token: string | undefined): MiddlewareHandler {
  const login = loginConfig(token);
  const { tokens } = login;
  const grants = grantOf(tokens.map((each) => ({ token: each, scopes: [] })));
  return async (c, next) => {
    const bears = grants(c.req.header("authorization")) !== undefined;
    if (!bears && sessionOf(c, login) === undefined) {
      if (isForPeople(c)) return c.redirect(`/login?next=${encodeURIComponent(pathOf(c))}`, 303);
      return refused(
        401,
        "unauthorized",
        "Send `Authorization: Bearer <token>` with a token of ADMIN_TOKEN",
        CHALLENGE,
      );
    }
    if (tokens.length === 0 && !isOwnName(c)) {
      return refused(403, "wrong-host", "Without ADMIN_TOKEN only requests to localhost are answered");
    }
    if (!bears && changes(c) && !saysItsPage(c)) {
      return refused(403, "wrong-origin", "A login in a browser may only be used by the page itself");
    }
    if (isForeignPage(c)) return refused(403, "wrong-origin", "A page of another site may not do this");
    return await next();
  };
}

/** What browsers log in to. */
export function loginConfig(token: string | undefined): LoginConfig {
  return {
    tokens: tokensOf(token),
    variable: "ADMIN_TOKEN",
    cookie: (c) => sessionCookieName(c.req.header("host")),
    nowMs: monotonicMs,
  };
}

/** Refuses what a page of another origin sends. */
export const ownPages: MiddlewareHandler = async (c, next) => {
  if (isForeignPage(c)) return refused(403, "wrong-origin", "A page of another site may not do this");
  return await next();
};

/** Refuses bodies beyond 64 KiB while they arrive (RFC 9110 section 15.5.14), and those that never come whole. */
export const smallBodies: MiddlewareHandler = async (c, next) => {
  const { raw } = c.req;
  if (raw.body === null) return await next();
  if (Number(c.req.header("content-length") ?? 0) > BODY_BYTES_MAX) return tooLarge();
  const reading = readBytes(raw, BODY_BYTES_MAX).catch(() => null);
  if (!await within(BODY_MS, reading)) {
    return refused(408, "body-too-slow", `The body did not arrive within ${BODY_MS / 1000} s`, CLOSE);
  }
  const bytes = await reading;
  if (bytes === undefined) return tooLarge();
  if (bytes === null) {
    return refused(400, "body-cut-off", "The connection ended before the whole body had arrived", CLOSE);
  }
  c.req.raw = new Request(raw, { body: new Uint8Array(bytes) });
  return await next();
};

const tooLarge = () =>
  refused(413, "body-too-large", `The body is longer than ${BODY_BYTES_MAX} bytes`, CLOSE);

/** Lets only a few requests of a kind run at once; the others are to come again. */
export function atMost(count = READS_MAX): MiddlewareHandler {
  let running = 0;
  return async (_, next) => {
    if (running >= count) {
      return refused(503, "busy", `${count} such requests are running already; try again`, {
        "retry-after": "2",
      });
    }
    running++;
    try {
      return await next();
    } finally {
      running--;
    }
  };
}

function isOwnName(c: Context): boolean {
  const host = c.req.header("host") ?? "";
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

/** What a browser says of the page that sends a request. */
function isForeignPage(c: Context): boolean {
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== c.req.header("host"));
}

const changes = (c: Context) => c.req.method !== "GET" && c.req.method !== "HEAD";

const saysItsPage = (c: Context) =>
  c.req.header("origin") !== undefined || c.req.header("sec-fetch-site") !== undefined;

/** A browser that goes to a page; what a script of the page asks for is refused as programs are. */
const isForPeople = (c: Context) => !changes(c) && (c.req.header("accept") ?? "").includes("text/html");

function pathOf(c: Context): string {
  const { pathname, search } = new URL(c.req.url);
  return pathname + search;
}

function refused(
  status: number,
  slug: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return problemResponse({ type: `/problems/${slug}`, title: slug, status, detail }, headers);
}
