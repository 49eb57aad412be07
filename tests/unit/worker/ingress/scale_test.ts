// Tests of the replicas that ad-hoc calls ask for.

import assert from "node:assert/strict";
import { type IngressLoad, ingressScaleOf } from "../../../../worker/ingress/scale.ts";

const SCALING = { permitsPerReplica: 8, replicasMax: 10, idleMs: 60_000 };
const IDLE: IngressLoad = { waiting: 0, inFlight: 0, oldestWaitMs: null, idleMs: null, replicas: 0 };
const wanted = (load: Partial<IngressLoad>) => ingressScaleOf({ ...IDLE, ...load }, SCALING).wantedReplicas;

Deno.test("ingressScaleOf() asks for nothing before the first call", () => {
  assert.equal(wanted({}), 0);
});

Deno.test("ingressScaleOf() asks for as many as take all calls at once, and never more than there may be", () => {
  assert.equal(wanted({ waiting: 1, idleMs: 0 }), 1);
  assert.equal(wanted({ waiting: 8, inFlight: 1, idleMs: 0 }), 2);
  assert.equal(wanted({ waiting: 1000, idleMs: 0 }), 10);
});

Deno.test("ingressScaleOf() keeps one for the next call, for WORKER_IDLE_MS", () => {
  assert.equal(wanted({ idleMs: 59_999 }), 1);
  assert.equal(wanted({ idleMs: 60_000 }), 0);
});
