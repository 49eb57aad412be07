// Tests of `GET /scale`.

import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { createAdmin } from "../../../../consumer/admin/app.ts";
import { parseConfig } from "../../../../consumer/config.ts";
import { oldestAgeMs, scaleOf, type ScaleSetup, type ScaleView } from "../../../../consumer/admin/scale.ts";

const NOW_MS = 1_000_000;
const SETUP: ScaleSetup = {
  bounds: { min: 0, max: 10, targetDrainMs: 60_000 },
  permitsPerReplica: 8,
  permitMs: 2000,
  replicas: 2,
};

/** Partitions given as backlog and timestamp of the oldest unsettled record. */
function view(...partitions: readonly [number, number | undefined][]): ScaleView {
  return {
    inFlight: 7,
    permits: 16,
    partitions: partitions.map(([backlog, timestampMs]) => ({
      backlog: () => backlog,
      ledger: { first: () => timestampMs === undefined ? undefined : { timestampMs } },
    })),
  };
}

Deno.test("scaleOf() adds the partitions' backlogs up and takes the oldest of their records", () => {
  const scale = scaleOf(view([300, NOW_MS - 5000], [200, NOW_MS - 9000], [0, undefined]), SETUP, NOW_MS);
  assert.deepEqual(scale, {
    backlog: 500,
    oldestAgeMs: 9000,
    busyPermits: 7,
    permits: 16,
    replicas: 2,
    wantedReplicas: 3,
  });
});

Deno.test("scaleOf() wants nothing where nothing is assigned or waits", () => {
  assert.equal(scaleOf(view(), SETUP, NOW_MS).wantedReplicas, 0);
  assert.equal(scaleOf(view([0, undefined]), SETUP, NOW_MS).wantedReplicas, 0);
});

Deno.test("scaleOf() wants a replica for records that wait at the broker, before one was received", () => {
  const scale = scaleOf(view([3, undefined]), { ...SETUP, permitMs: undefined, replicas: 0 }, NOW_MS);
  assert.deepEqual([scale.oldestAgeMs, scale.wantedReplicas], [null, 1]);
});

Deno.test("oldestAgeMs() is not negative for a record from the future and null without a timestamp", () => {
  assert.equal(oldestAgeMs(view([1, NOW_MS + 60_000]), NOW_MS), 0);
  assert.equal(oldestAgeMs(view([1, -1]), NOW_MS), null);
});

Deno.test("createAdmin() serves /scale as JSON with every field an autoscaler may read", async () => {
  const app = createAdmin({
    causes: () => [],
    registry: new Registry(),
    scale: () => scaleOf(view([300, NOW_MS - 5000]), SETUP, NOW_MS),
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

Deno.test("parseConfig() refuses a WORKER_MIN above WORKER_MAX", () => {
  const env: Record<string, string> = {
    KAFKA_BROKERS: "localhost:9092",
    WORKER_URL: "http://localhost:8000",
    WORKER_MIN: "3",
    WORKER_MAX: "2",
  };
  assert.throws(
    () => parseConfig((name) => env[name]),
    /WORKER_MIN is above WORKER_MAX: current values are 3 and 2/,
  );
  assert.deepEqual(parseConfig((name) => ({ ...env, WORKER_MAX: "3" })[name]).scale, {
    min: 3,
    max: 3,
    targetDrainMs: 60_000,
  });
});
