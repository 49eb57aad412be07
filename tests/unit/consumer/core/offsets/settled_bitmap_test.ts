import assert from "node:assert/strict";
import { bitmapBytes, fromBitmap, toBitmap } from "../../../../../consumer/core/offsets/settled_bitmap.ts";

Deno.test("fromBitmap() reads back the ranges that toBitmap() was given, in as many bytes as bitmapBytes() says", () => {
  const base = 2 ** 40;
  const ranges = [[base + 1, base + 1], [base + 3, base + 8], [base + 15, base + 16]] as const;
  const bytes = toBitmap(base, ranges);
  assert.equal(bytes.length, bitmapBytes(17));
  assert.deepEqual(fromBitmap(base, bytes), ranges);
  assert.deepEqual(fromBitmap(base, toBitmap(base, [])), []);
});
