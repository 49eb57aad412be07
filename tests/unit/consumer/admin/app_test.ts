// Tests of what the admin side serves.

import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { createAdmin } from "../../../../consumer/admin/app.ts";
import { scaleOf } from "../../../../consumer/core/scale.ts";

Deno.test("createAdmin() serves /scale as JSON with every field an autoscaler may read", async () => {
  const app = createAdmin({
    causes: () => [],
    registry: new Registry(),
    scale: () =>
      scaleOf({ inFlight: 7, permits: 16, partitions: [] }, {
        bounds: { min: 0, max: 10, targetDrainMs: 60_000 },
        permitsPerReplica: 8,
        permitMs: 2000,
        replicas: 2,
      }, 0),
  });
  const response = await app.request("/scale");
  assert.equal(response.status, 200);
  assert.deepEqual(Object.keys(await response.json()), [
    "backlog",
    "oldestAgeMs",
    "busyPermits",
    "permits",
    "replicas",
    "wantedReplicas",
  ]);
});
