// GET /livez: the process answers. Nothing outside it is asked, or an outage would get it restarted.

import type { Route } from "../http/route.ts";

/** See the first line. */
export function livezRoute(): Route {
  return { method: "GET", path: "/livez", open: true, handle: () => Response.json({ status: "alive" }) };
}
