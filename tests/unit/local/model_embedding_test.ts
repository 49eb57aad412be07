// Tests of how embeddings are gathered, joined and kept.

import assert from "node:assert/strict";
import fc from "fast-check";
import { coalescing } from "../../../local/model/coalescing_embedder.ts";
import { joinEmbeddings, textsOf } from "../../../local/model/ticket_embedding.ts";
import { packVectors, unpackVectors } from "../../../local/model/vector_file.ts";

const vectorsArbitrary = fc.array(
  fc.float32Array({ minLength: 8, maxLength: 8, noNaN: true, min: -1, max: 1 }),
  { minLength: 1, maxLength: 5 },
);

Deno.test("unpackVectors() gives back what packVectors() wrote, to within half a step of the scale", () => {
  fc.assert(fc.property(vectorsArbitrary, (vectors) => {
    const back = unpackVectors("k", packVectors("k", vectors)) ?? [];
    assert.equal(back.length, vectors.length);
    for (const [row, vector] of vectors.entries()) {
      const step = Math.max(...vector.map(Math.abs)) / 127;
      for (const [at, value] of vector.entries()) {
        assert.ok(Math.abs(value - (back[row]?.[at] ?? NaN)) <= step * 0.51 + 1e-7);
      }
    }
  }));
});

Deno.test("unpackVectors() refuses bytes of other texts, cut-off bytes and anything else", () => {
  const bytes = packVectors("k", [Float32Array.of(1, 2)]);
  assert.equal(unpackVectors("other", bytes), undefined);
  assert.equal(unpackVectors("k", bytes.subarray(0, bytes.length - 1)), undefined);
  assert.equal(unpackVectors("k", new Uint8Array()), undefined);
  assert.equal(unpackVectors("k", new TextEncoder().encode("rubbish\n123")), undefined);
});

Deno.test("coalescing() runs one call at a time and shares the next among those that wait", async () => {
  const calls: (readonly string[])[] = [];
  const gates: (() => void)[] = [];
  const secondCall = Promise.withResolvers<void>();
  const embedder = coalescing({
    embed: async (texts) => {
      calls.push(texts);
      if (calls.length === 2) secondCall.resolve();
      await new Promise<void>((open) => gates.push(open));
      return texts.map((text) => Float32Array.of(text.length));
    },
  });
  const first = embedder.embed(["a"]);
  const second = embedder.embed(["bb", "ccc"]);
  const third = embedder.embed(["dddd"]);
  assert.deepEqual(calls, [["a"]]);
  gates.shift()?.();
  assert.deepEqual(await first, [Float32Array.of(1)]);
  await secondCall.promise;
  assert.deepEqual(calls, [["a"], ["bb", "ccc", "dddd"]]);
  gates.shift()?.();
  assert.deepEqual(await second, [Float32Array.of(2), Float32Array.of(3)]);
  assert.deepEqual(await third, [Float32Array.of(4)]);
});

Deno.test("coalescing() fails those of the failed call and answers the next", async () => {
  const answers = [() => Promise.reject(new Error("broken")), () => Promise.resolve([Float32Array.of(9)])];
  const embedder = coalescing({
    embed: () => answers.shift()?.() ?? Promise.reject(new Error("called too often")),
  });
  await assert.rejects(embedder.embed(["a"]), /broken/);
  assert.deepEqual(await embedder.embed(["b"]), [Float32Array.of(9)]);
});

Deno.test("textsOf() stands in the body for a missing subject and the other way round", () => {
  assert.deepEqual(textsOf({ subject: " ", body: "b" }), ["b", "b"]);
  assert.deepEqual(textsOf({ subject: "s", body: "" }), ["s", "s"]);
});

Deno.test("joinEmbeddings() puts subject and body side by side, ticket by ticket", () => {
  const parts = [1, 2, 3, 4].map((value) => Float32Array.of(value));
  assert.deepEqual(joinEmbeddings(parts), [Float32Array.of(1, 2), Float32Array.of(3, 4)]);
});
