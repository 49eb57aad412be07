import assert from "node:assert/strict";
import { laneOf, policyFor } from "../../../../../consumer/core/policies/delivery_mode.ts";

Deno.test("policyFor() holds permits until the commit in sync mode, except where a mode commits otherwise", () => {
  const holds = (["parallel", "key", "partition", "batch", "fast"] as const).map((mode) =>
    policyFor(mode, "sync").holdUntilCommitted
  );
  assert.deepEqual(holds, [true, true, true, false, false]);
  assert.equal(policyFor("batch", "sync").batchAwaitsCommit, true);
  assert.equal(policyFor("batch", "async").batchAwaitsCommit, false);
});

Deno.test("policyFor() commits on a timer, after each record, or after each batch", () => {
  const timings = (["parallel", "key", "partition", "batch", "fast"] as const).map((mode) =>
    policyFor(mode, "async").timing
  );
  assert.deepEqual(timings, ["interval", "interval", "each", "batch", "interval"]);
  assert.equal(policyFor("parallel", "sync").timing, "each");
});

Deno.test("policyFor() commits what was received in fast mode only", () => {
  const extents = (["parallel", "key", "partition", "batch", "fast"] as const).map((mode) =>
    policyFor(mode, "async").extent
  );
  assert.deepEqual(extents, ["settled", "settled", "settled", "settled", "received"]);
});

Deno.test("laneOf() orders by key or by partition, and records without a key not at all", () => {
  assert.equal(laneOf("none", "a"), undefined);
  assert.equal(laneOf("key", "a"), "a");
  assert.equal(laneOf("key", ""), "");
  assert.equal(laneOf("key", null), undefined);
  assert.equal(laneOf("partition", null), laneOf("partition", "a"));
});
