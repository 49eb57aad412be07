// Tests of headers that came under names of ours: none keeps its name in a letter, all have it again in the end.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  carriedHeaders,
  carryHeaders,
  restoreHeaders,
} from "../../../../consumer/dead_letters/carried_headers.ts";

const name = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string().map((rest) => `ackpool-${rest}`),
  fc.constantFrom("ackpool-mark", "ackpool-carried-ackpool-mark", "ackpool-origin-topic", "__proto__"),
);
const headers = fc.dictionary(name, fc.oneof(fc.string(), fc.uint8Array(), fc.constant(null)), {
  noNullPrototype: true,
});

Deno.test("restoreHeaders() gives back what carryHeaders() was given, whatever we wrote beside it", () => {
  fc.assert(fc.property(headers, fc.nat(), (given, replays) => {
    const carried = carryHeaders(given);
    const ours = { ...carried, "ackpool-replays": String(replays), "ackpool-origin-topic": "t" };
    assert.deepEqual(restoreHeaders(ours), given);
    assert.deepEqual(carriedHeaders(ours), carried);
  }));
});

Deno.test("carryHeaders() leaves no name of ours to a stranger, and all other names as they are", () => {
  assert.deepEqual(carryHeaders({ "ackpool-mark": "dropped", "ackpool-new": "x", traceparent: "y" }), {
    "ackpool-carried-ackpool-mark": "dropped",
    "ackpool-carried-ackpool-new": "x",
    traceparent: "y",
  });
});
