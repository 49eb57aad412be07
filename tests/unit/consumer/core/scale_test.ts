// Tests of how many replicas the backlog calls for.

import assert from "node:assert/strict";
import fc from "fast-check";
import type { MachineView } from "../../../../consumer/core/view.ts";
import { Driver, recordAt } from "./fixtures.ts";
import {
  type Load,
  oldestAgeMs,
  Pace,
  PERMIT_MS_ASSUMED,
  type ScaleBounds,
  scaleOf,
  type ScaleSetup,
  wantedReplicas,
} from "../../../../consumer/core/scale.ts";

const BOUNDS: ScaleBounds = { min: 0, max: 10, targetDrainMs: 60_000 };
const load = (backlog: number, permitMs: number | undefined = 2000, permitsPerReplica = 8): Load => ({
  backlog,
  permitMs,
  permitsPerReplica,
});

const anyLoad = fc.record({
  backlog: fc.nat(1_000_000),
  permitMs: fc.option(fc.double({ min: 0, max: 600_000, noNaN: true }), { nil: undefined }),
  permitsPerReplica: fc.integer({ min: 1, max: 1000 }),
});
const anyBounds = fc.record({
  min: fc.nat(10),
  max: fc.integer({ min: 10, max: 1000 }),
  targetDrainMs: fc.integer({ min: 1000, max: 86_400_000 }),
});

Deno.test("wantedReplicas() wants none for no backlog and one for a single record", () => {
  assert.equal(wantedReplicas(load(0), BOUNDS), 0);
  assert.equal(wantedReplicas(load(1), BOUNDS), 1);
});

Deno.test("wantedReplicas() wants as many as clear the backlog in time", () => {
  // 8 permits at 2 s a record settle 240 records a minute.
  assert.equal(wantedReplicas(load(240), BOUNDS), 1);
  assert.equal(wantedReplicas(load(241), BOUNDS), 2);
  assert.equal(wantedReplicas(load(1000), BOUNDS), 5);
  assert.equal(wantedReplicas(load(1000), { ...BOUNDS, targetDrainMs: 120_000 }), 3);
});

Deno.test("wantedReplicas() stays between WORKER_MIN and WORKER_MAX", () => {
  assert.equal(wantedReplicas(load(1_000_000), BOUNDS), 10);
  assert.equal(wantedReplicas(load(0), { ...BOUNDS, min: 2 }), 2);
});

Deno.test("wantedReplicas() wants no replica that would find every record on its way already", () => {
  assert.equal(wantedReplicas(load(9, 3_600_000), BOUNDS), 2);
});

Deno.test("wantedReplicas() assumes the time of an LLM call before one was measured", () => {
  const measured = wantedReplicas(load(1000, PERMIT_MS_ASSUMED), BOUNDS);
  assert.equal(wantedReplicas({ ...load(1000), permitMs: undefined }, BOUNDS), measured);
});

Deno.test("wantedReplicas() is a whole number within its bounds and never 0 while there is a backlog", () => {
  fc.assert(fc.property(anyLoad, anyBounds, (some, bounds) => {
    const wanted = wantedReplicas(some, bounds);
    assert.ok(Number.isInteger(wanted) && wanted >= bounds.min && wanted <= bounds.max, String(wanted));
    if (some.backlog > 0) assert.ok(wanted > 0);
  }));
});

Deno.test("wantedReplicas() clears the backlog in time or has a permit for every record, unless WORKER_MAX forbids", () => {
  fc.assert(fc.property(anyLoad, anyBounds, (some, bounds) => {
    const wanted = wantedReplicas(some, bounds);
    const permits = wanted * some.permitsPerReplica;
    const tookMs = some.backlog * (some.permitMs ?? PERMIT_MS_ASSUMED) / permits;
    const enough = some.backlog === 0 || tookMs <= bounds.targetDrainMs * (1 + 1e-9) ||
      permits >= some.backlog;
    assert.ok(enough || wanted === bounds.max, `${wanted} replicas take ${tookMs} ms`);
  }));
});

Deno.test("wantedReplicas() never wants fewer for a larger backlog", () => {
  fc.assert(fc.property(anyLoad, anyBounds, fc.nat(1000), (some, bounds, more) => {
    const larger = { ...some, backlog: some.backlog + more };
    assert.ok(wantedReplicas(larger, bounds) >= wantedReplicas(some, bounds));
  }));
});

Deno.test("Pace starts with the plain average and then follows the newest records", () => {
  const pace = new Pace();
  assert.equal(pace.permitMs, undefined);
  for (const tookMs of [100, 200, 300]) pace.recordSettled(tookMs);
  assert.equal(pace.permitMs, 200);
  for (let i = 0; i < 200; i++) pace.recordSettled(1000);
  assert.ok(Math.abs((pace.permitMs ?? 0) - 1000) < 1);
});

Deno.test("Pace stays between the fastest and the slowest record", () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (times) => {
    const pace = new Pace();
    times.forEach((tookMs) => pace.recordSettled(tookMs));
    const average = pace.permitMs ?? NaN;
    assert.ok(average >= Math.min(...times) - 1e-6 && average <= Math.max(...times) + 1e-6);
  }));
});

const NOW_MS = 1_000_000;
const SETUP: ScaleSetup = {
  bounds: { min: 0, max: 10, targetDrainMs: 60_000 },
  permitsPerReplica: 8,
  permitMs: 2000,
  replicas: 2,
};

/** Partitions given as backlog and timestamp of the oldest unsettled record. */
function view(...partitions: readonly [number, number | undefined][]): MachineView {
  const driver = new Driver({}, 16);
  return {
    ...driver.machine.view,
    inFlight: 7,
    partitions: partitions.map(([backlog, timestampMs], partition) => {
      const [seen] =
        new Driver().assign({ partition }).receive([recordAt(0)], partition).machine.view.partitions;
      assert.ok(seen?.head !== undefined);
      const head = timestampMs === undefined ? undefined : { ...seen.head, timestampMs };
      return { ...seen, backlog, head };
    }),
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
