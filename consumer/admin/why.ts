// Why over HTTP: the one sentence and the eleven checks, for the page, for `deno task why` and for programs.

import { Hono } from "hono";
import type { WhyJson } from "../core/why/why.ts";

/** The route. A group of several consumers asks each of them. */
export function whyRoutes(why: () => WhyJson) {
  return new Hono().get("/", (c) => c.json(why()));
}

/** For `hc<WhyRoutes>()`. */
export type WhyRoutes = ReturnType<typeof whyRoutes>;
