// Slices of a replay: how many dead letters go into one transaction.

import assert from "node:assert/strict";
import { nextSlice } from "../../../../../consumer/dead_letters/replay/slice_sender.ts";

Deno.test("nextSlice() is bounded in number, in bytes and by the rate, and never empty", () => {
  const all = Array.from({ length: 1000 }, () => ({ bytes: 10 }));
  const large = Array.from({ length: 3 }, () => ({ bytes: 5_000_000 }));
  assert.equal(nextSlice(all, 0, undefined).length, 500);
  assert.equal(nextSlice(all, 900, undefined).length, 100);
  assert.equal(nextSlice(all, 0, 50).length, 25);
  assert.equal(nextSlice(all, 0, 1).length, 1);
  assert.equal(nextSlice(large, 0, undefined).length, 1);
});
