// Tests of a body's pieces: joined in their order, and not copied where there is one.

import assert from "node:assert/strict";
import { joinChunks } from "../../../../shared/http/join_chunks.ts";

Deno.test("joinChunks() keeps the order of the pieces", () => {
  assert.deepEqual([...joinChunks([Uint8Array.of(1, 2), Uint8Array.of(3)], 3)], [1, 2, 3]);
  assert.equal(joinChunks([], 0).length, 0);
});

Deno.test("joinChunks() gives the only piece itself", () => {
  const only = Uint8Array.of(1);
  assert.equal(joinChunks([only], 1), only);
});
