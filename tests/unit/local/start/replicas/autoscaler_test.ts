import assert from "node:assert/strict";
import fc from "fast-check";
import { Autoscaler, type AutoscalerBounds } from "../../../../../local/start/replicas/autoscaler.ts";
import type { Demand } from "../../../../../local/start/replicas/demand.ts";

const BOUNDS: AutoscalerBounds = { min: 0, max: 10, idleMs: 60_000, permitsPerReplica: 8 };
const IDLE: Demand = {
  records: { backlog: 0, busyPermits: 0, wantedReplicas: 0 },
  calls: { waiting: 0, inFlight: 0 },
  worked: false,
};
const records = (backlog: number, wantedReplicas: number): Demand => ({
  ...IDLE,
  records: { backlog, busyPermits: 0, wantedReplicas },
});
const calls = (waiting: number, inFlight = 0): Demand => ({ ...IDLE, calls: { waiting, inFlight } });

Deno.test("Autoscaler starts one replica at once for the first record after idle, however large the backlog", () => {
  const scaler = new Autoscaler(BOUNDS);
  assert.equal(scaler.decide(IDLE, 0).wanted, 0);
  assert.deepEqual(scaler.decide(records(1000, 10), 250), { wanted: 1, why: "first record" });
});

Deno.test("Autoscaler starts one for an ad-hoc call, and more when more calls wait than one replica takes", () => {
  const scaler = new Autoscaler(BOUNDS);
  assert.deepEqual(scaler.decide(calls(1), 0), { wanted: 1, why: "ad-hoc call" });
  scaler.decide(calls(10, 8), 250);
  assert.equal(scaler.decide(calls(10, 8), 1250).wanted, 3);
});

Deno.test("Autoscaler goes above one only when that was needed for a second on end", () => {
  const scaler = new Autoscaler(BOUNDS);
  scaler.decide(records(100, 1), 0);
  assert.equal(scaler.decide(records(100, 5), 250).wanted, 1);
  assert.equal(scaler.decide(records(90, 1), 500).wanted, 1);
  assert.equal(scaler.decide(records(100, 5), 750).wanted, 1);
  assert.equal(scaler.decide(records(100, 5), 1500).wanted, 1);
  assert.deepEqual(scaler.decide(records(99, 6), 1750), { wanted: 6, why: "backlog 99" });
});

Deno.test("Autoscaler keeps what was needed within the idle time, then goes to what is needed, and to none", () => {
  const scaler = new Autoscaler(BOUNDS);
  scaler.decide(records(1000, 10), 0);
  scaler.decide(records(1000, 10), 0);
  assert.equal(scaler.decide(records(1000, 10), 1000).wanted, 10);
  assert.equal(scaler.decide(records(10, 2), 30_000).wanted, 10);
  assert.equal(scaler.decide(records(10, 2), 60_999).wanted, 10);
  assert.deepEqual(scaler.decide(IDLE, 61_000), { wanted: 2, why: "not needed for 60 s" });
  assert.equal(scaler.decide(IDLE, 120_998).wanted, 2);
  assert.equal(scaler.decide(IDLE, 120_999).wanted, 0);
});

Deno.test("Autoscaler has WORKER_MIN replicas from the beginning, and never fewer", () => {
  const scaler = new Autoscaler({ ...BOUNDS, min: 3 });
  assert.deepEqual(scaler.decide(IDLE, 0), { wanted: 3, why: "WORKER_MIN is 3" });
  assert.equal(scaler.decide(IDLE, 600_000).wanted, 3);
});

Deno.test("Autoscaler counts records in flight as work, though the backlog were none", () => {
  const scaler = new Autoscaler(BOUNDS);
  const busy: Demand = { ...IDLE, records: { backlog: 0, busyPermits: 3, wantedReplicas: 0 } };
  assert.equal(scaler.decide(busy, 0).wanted, 1);
});

Deno.test("Autoscaler keeps one as long as some work was done, though none is ever seen under way", () => {
  const scaler = new Autoscaler(BOUNDS);
  scaler.decide(records(1, 1), 0);
  for (let atMs = 50_000; atMs <= 500_000; atMs += 50_000) {
    assert.equal(scaler.decide({ ...IDLE, worked: true }, atMs).wanted, 1);
  }
  assert.equal(scaler.decide(IDLE, 560_000).wanted, 0);
});

Deno.test("Autoscaler stops nothing while the consumer cannot be asked, and needs no ingress", () => {
  const scaler = new Autoscaler(BOUNDS);
  scaler.decide(records(5, 1), 0);
  for (let atMs = 250; atMs <= 600_000; atMs += 250) {
    assert.equal(scaler.decide({ ...IDLE, records: undefined, calls: undefined }, atMs).wanted, 1);
  }
});

Deno.test("Autoscaler stays between WORKER_MIN and WORKER_MAX, whatever is asked", () => {
  const load = fc.option(
    fc.record({ backlog: fc.nat(5000), busyPermits: fc.nat(200), wantedReplicas: fc.nat(50) }),
    {
      nil: undefined,
    },
  );
  const adHoc = fc.option(fc.record({ waiting: fc.nat(500), inFlight: fc.nat(200) }), { nil: undefined });
  const steps = fc.array(
    fc.record({ records: load, calls: adHoc, worked: fc.boolean(), passesMs: fc.nat(20_000) }),
    {
      minLength: 1,
    },
  );
  fc.assert(fc.property(steps, fc.nat(4), fc.nat(6), (all, min, more) => {
    const scaler = new Autoscaler({ ...BOUNDS, min, max: min + more + 1 });
    let nowMs = 0;
    for (const { passesMs, ...demand } of all) {
      const { wanted } = scaler.decide(demand, nowMs += passesMs);
      assert.ok(wanted >= min && wanted <= min + more + 1);
    }
  }));
});

Deno.test("Autoscaler never goes below what is needed now once it was needed for a second", () => {
  const needs = fc.array(fc.record({ need: fc.nat(10), passesMs: fc.integer({ min: 1, max: 5000 }) }), {
    minLength: 1,
  });
  fc.assert(fc.property(needs, (all) => {
    const scaler = new Autoscaler(BOUNDS);
    let nowMs = 0;
    for (const { need, passesMs } of all) {
      nowMs += passesMs;
      const demand = need === 0 ? IDLE : records(need * 8, need);
      scaler.decide(demand, nowMs);
      scaler.decide(demand, nowMs);
      assert.ok(scaler.decide(demand, nowMs += 1000).wanted >= need);
    }
  }));
});
