// Headers that all of the page's answers have: what a browser may do with them.

import type { Context, MiddlewareHandler } from "hono";

/** Nothing from another host, nothing inline, no frame around it, no form that leads elsewhere. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Sets them on whatever answers. */
export const pageHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  setPageHeaders(c);
};

/** Sets them. */
export function setPageHeaders(c: Context): void {
  c.header("content-security-policy", POLICY);
  c.header("x-content-type-options", "nosniff");
  c.header("referrer-policy", "same-origin");
  c.header("cross-origin-opener-policy", "same-origin");
  c.header("cross-origin-resource-policy", "same-origin");
  if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
}

/** For people. */
export function notFoundPage(c: Context): Response {
  return c.text("There is no such page. Begin at /", 404);
}
