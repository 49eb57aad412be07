// Tests of the worker's tickets table.

import assert from "node:assert/strict";
import { canonicalId, quoted } from "../../../../worker/db/tickets_table.ts";

Deno.test("canonicalId() gives one ticket one key", () => {
  assert.equal(canonicalId("bigint", "007"), "7");
  assert.equal(canonicalId("bigint", "9223372036854775807"), "9223372036854775807");
  assert.equal(
    canonicalId("uuid", "3F2504E0-4F89-41D3-9A0C-0305E82C3301"),
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  );
  assert.equal(canonicalId("text", "T-17"), "T-17");
});

Deno.test("canonicalId() refuses what the column cannot hold", () => {
  assert.equal(canonicalId("bigint", "9223372036854775808"), undefined);
  assert.equal(canonicalId("bigint", "1e3"), undefined);
  assert.equal(canonicalId("integer", "2147483648"), undefined);
  assert.equal(canonicalId("uuid", "17"), undefined);
  assert.equal(canonicalId("text", "a\u0000b"), undefined);
});

Deno.test("quoted() keeps the case of every part", () => {
  assert.equal(quoted("Support.Tickets"), '"Support"."Tickets"');
});
