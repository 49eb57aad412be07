// Tests of how embeddings are gathered, joined and kept.

import assert from "node:assert/strict";
import fc from "fast-check";
import { batchingEmbedder } from "../../../../../local/model/embedding/batching_embedder.ts";
import { translate } from "../../../../../local/model/language/translate.ts";
import {
  embedTickets,
  gistOf,
  meanOf,
  piecesOf,
} from "../../../../../local/model/embedding/ticket_embedding.ts";
import { cachingEmbedder } from "../../../../../local/model/embedding/caching_embedder.ts";
import { packVectors, unpackVectors } from "../../../../../local/model/embedding/vector_file.ts";

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

Deno.test("batchingEmbedder() runs one call at a time and shares the next among those that wait", async () => {
  const calls: (readonly string[])[] = [];
  const gates: (() => void)[] = [];
  const secondCall = Promise.withResolvers<void>();
  const embedder = batchingEmbedder({
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

Deno.test("batchingEmbedder() lets only so many texts share a call, and one request have more", async () => {
  const sizes: number[] = [];
  const embedder = batchingEmbedder({
    embed: (texts) => {
      sizes.push(texts.length);
      return Promise.resolve(texts.map(() => Float32Array.of(0)));
    },
  }, 3);
  const asked = [1, 2, 2, 5, 1, 1].map((count) => embedder.embed(Array.from({ length: count }, () => "x")));
  assert.deepEqual((await Promise.all(asked)).map(({ length }) => length), [1, 2, 2, 5, 1, 1]);
  assert.deepEqual(sizes, [1, 2, 2, 5, 2]);
});

Deno.test("batchingEmbedder() fails those of the failed call and answers the next", async () => {
  const answers = [() => Promise.reject(new Error("broken")), () => Promise.resolve([Float32Array.of(9)])];
  const embedder = batchingEmbedder({
    embed: () => answers.shift()?.() ?? Promise.reject(new Error("called too often")),
  });
  await assert.rejects(embedder.embed(["a"]), /broken/);
  assert.deepEqual(await embedder.embed(["b"]), [Float32Array.of(9)]);
});

Deno.test("gistOf() puts known foreign words into English and leaves English alone", () => {
  const spanish = gistOf({ subject: "La factura", body: "No puedo ver la factura de este mes en mi cuenta" });
  for (const word of ["invoice", "month", "account"]) {
    assert.ok(spanish.includes(word), `${word} in ${spanish}`);
  }
  const english = {
    subject: "The bill",
    body: "Is it true that you die on the mail? I can not see the bill",
  };
  assert.equal(gistOf(english), `${english.subject}\n${english.body}`);
});

Deno.test("translate() finds Japanese words inside text without spaces", () => {
  assert.match(translate("請求書が届きません"), /invoice.*does not arrive/);
});

Deno.test("piecesOf() keeps a short text whole and of a long one the first three pieces and the last", () => {
  assert.deepEqual(piecesOf("just this"), ["just this"]);
  assert.deepEqual(piecesOf(""), [""]);
  const numbers = Array.from({ length: 1000 }, (_, at) => `${at}`);
  const pieces = piecesOf(numbers.join(" "));
  assert.equal(pieces.length, 4);
  assert.ok(pieces[0]?.startsWith("0 1 ") && pieces[3]?.endsWith("999"));
});

Deno.test("piecesOf() cuts text without spaces too, and never makes a piece longer than the network reads", () => {
  fc.assert(fc.property(fc.string({ maxLength: 5000 }), (text) => {
    assert.ok(piecesOf(text).every((piece) => piece.length <= 600));
  }));
  assert.equal(piecesOf("い".repeat(2000)).length, 4);
});

Deno.test("meanOf() has length 1 whatever the parts, and stays zero where they are", () => {
  assert.deepEqual(
    meanOf([Float32Array.of(2, 0), Float32Array.of(0, 2)]).map(Math.fround),
    meanOf([Float32Array.of(9, 9)]),
  );
  assert.deepEqual(meanOf([Float32Array.of(0, 0)]), Float32Array.of(0, 0));
});

Deno.test("embedTickets() gives every ticket the mean of its own pieces", async () => {
  const long = Array.from({ length: 100 }, () => "word").join(" ");
  const seen: string[] = [];
  const embedder = {
    embed: (texts: readonly string[]) => {
      seen.push(...texts);
      return Promise.resolve(
        texts.map((text) => text.includes("short") ? Float32Array.of(1, 0) : Float32Array.of(0, 1)),
      );
    },
  };
  const [first, second] = await embedTickets(
    [{ subject: "long", body: long }, { subject: "short", body: "" }],
    embedder,
  );
  assert.equal(seen.length, 3);
  assert.deepEqual(first?.embedding, Float32Array.of(0, 1));
  assert.deepEqual(second?.embedding, Float32Array.of(1, 0));
});

Deno.test("cachingEmbedder() embeds a text once, repeats and all, and forgets the oldest", async () => {
  const calls: (readonly string[])[] = [];
  const embedder = cachingEmbedder({
    embed: (texts) => {
      calls.push(texts);
      return Promise.resolve(texts.map((text) => Float32Array.of(text.length)));
    },
  }, 2);
  assert.deepEqual(await embedder.embed(["a", "bb", "a"]), [1, 2, 1].map((size) => Float32Array.of(size)));
  assert.deepEqual(await embedder.embed(["bb", "ccc"]), [2, 3].map((size) => Float32Array.of(size)));
  await embedder.embed(["bb"]);
  await embedder.embed(["a"]);
  assert.deepEqual(calls, [["a", "bb"], ["ccc"], ["a"]]);
});
