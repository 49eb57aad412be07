// Lines of a stream that comes in pieces.

import assert from "node:assert/strict";
import { linesOf } from "../../../../local/processes/lines.ts";

Deno.test("linesOf() joins what chunks cut apart, characters included", async () => {
  const bytes = new TextEncoder().encode("Grüße\nzweite\n\nohne Ende");
  const chunks = ReadableStream.from(Array.from(bytes, (byte) => Uint8Array.of(byte)));
  assert.deepEqual(await Array.fromAsync(linesOf(chunks)), ["Grüße", "zweite", "", "ohne Ende"]);
});
