// A page over a consumer that is given as values.

import { Registry } from "prom-client";
import { createAdmin } from "../../../../consumer/admin/app.ts";
import type { MachineView } from "../../../../consumer/core/view.ts";
import { why } from "../../../../consumer/core/why/why.ts";
import { FlowMemory } from "../../../../consumer/page/memory/flow_memory.ts";
import type { PageDeps } from "../../../../consumer/page/routes.tsx";
import { factsWith } from "../core/why/fixtures.ts";

/** The admin side with a page, as an application. */
export function adminWith(
  token: string | undefined,
  view: Partial<MachineView> = {},
  page: Partial<PageDeps> = {},
) {
  const facts = factsWith({}, view);
  return createAdmin({
    causes: () => [],
    registry: new Registry(),
    scale: () => ({
      backlog: 0,
      oldestAgeMs: null,
      busyPermits: 0,
      permits: 8,
      replicas: 1,
      wantedReplicas: 1,
    }),
    token,
    page: {
      group: facts.group,
      why: () => why(facts),
      samples: () => [],
      view: () => facts.view,
      pool: { replicas: [] },
      memory: new FlowMemory(),
      flow: () => ({
        version: 0,
        pauses: [],
        rate: { recordsPerSecond: null, setBy: null },
        pool: { permits: null, setBy: null },
        here: { partitions: 0, ofPartitions: null, recordsPerSecond: null, permits: 8, held: [] },
        notKept: null,
      }),
      nowMs: () => facts.nowMs,
      asksForToken: token !== undefined,
      closing: new AbortController().signal,
      ...page,
    },
  });
}
