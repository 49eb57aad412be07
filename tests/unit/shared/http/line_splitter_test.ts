// Tests of how a stream is cut into lines.

import assert from "node:assert/strict";
import fc from "fast-check";
import { LineSplitter } from "../../../../shared/http/line_splitter.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function cut(bytes: Uint8Array, cuts: readonly number[], bytesMax: number): string[] {
  const splitter = new LineSplitter(bytesMax);
  const at = [0, ...cuts.map((each) => each % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const lines = at.slice(1).flatMap((end, index) => splitter.push(bytes.subarray(at[index], end)));
  return [...lines, ...splitter.end()];
}

Deno.test("LineSplitter cuts the same lines wherever the stream is in pieces", () => {
  const lines = fc.array(fc.string({ unit: "grapheme" }).map((line) => line.replaceAll("\n", "")));
  fc.assert(fc.property(lines, fc.array(fc.nat()), (lines, cuts) => {
    const found = cut(encode(lines.map((line) => `${line}\n`).join("")), cuts, 10_000);
    assert.deepEqual(found, lines.filter((line) => line !== ""));
  }));
});

Deno.test("LineSplitter drops a line that is too long, and goes on with the next", () => {
  fc.assert(fc.property(fc.array(fc.nat()), (cuts) => {
    assert.deepEqual(cut(encode(`short\n${"x".repeat(50)}\nagain\nlast`), cuts, 10), [
      "short",
      "again",
      "last",
    ]);
  }));
});
