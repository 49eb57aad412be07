// GET /livez: the process answers. It asks nothing outside: an outage would get the process restarted.

import { z } from "zod";
import { json, type Route } from "../http/route.ts";

/** Whether the process answers. It asks nothing outside: an outage would get the process restarted. */
export function livezRoute(): Route {
  return {
    method: "GET",
    path: "/livez",
    scope: null,
    operation: {
      operationId: "livez",
      summary: "Whether the process answers",
      tags: ["health"],
      responses: { "200": json("It does", z.object({ status: z.literal("alive") })) },
    },
    handle: () => Response.json({ status: "alive" }),
  };
}
