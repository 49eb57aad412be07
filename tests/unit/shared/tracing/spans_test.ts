// Tests that nothing is asked, made or sent on where no traces are wanted; tests/integration/traces_test.ts has the rest.

import assert from "node:assert/strict";
import {
  currentContext,
  doneFor,
  nameRequest,
  traced,
  tracedPart,
} from "../../../../shared/tracing/spans.ts";

const never = () => {
  throw new Error("A span was described");
};

Deno.test("without OTEL_DENO work is done as it is: no span is described, no traceparent made", async () => {
  for (const within of [traced, tracedPart]) {
    assert.equal(
      await within(never, ({ traceparent, set, fail }) => {
        set({ "error.type": "none" });
        fail("none");
        return Promise.resolve(traceparent);
      }),
      undefined,
    );
    await assert.rejects(within(never, () => Promise.reject(new RangeError("its own"))), RangeError);
  }
  assert.equal(currentContext(), undefined);
  assert.equal(doneFor([currentContext(), undefined], () => 7), 7);
  nameRequest("POST", "/classify");
});
