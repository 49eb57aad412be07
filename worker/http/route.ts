// What a route is: its address, who may use it, and what it does.

import type { Context } from "hono";

/** One method of one path. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT";
  /** In Hono's syntax, which is also the metrics' label. */
  readonly path: string;
  /** Open to everybody, token or not. */
  readonly open: boolean;
  readonly handle: (context: Context) => Response | Promise<Response>;
}
