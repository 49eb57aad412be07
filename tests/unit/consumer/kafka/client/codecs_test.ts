// The codecs on bytes: what they read back, in which frames, and what they refuse.

import assert from "node:assert/strict";
import { CorruptBatch, gzip, lz4Frame, snappy, zstd } from "../../../../../consumer/kafka/client/codecs.ts";

const text = "All work and no play makes Jack a dull boy. ".repeat(5000);
const plain = new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

for (const [name, codec] of Object.entries({ gzip, snappy, lz4Frame, zstd })) {
  Deno.test(`${name} reads back what it wrote, smaller in between`, async () => {
    const compressed = await codec.compress({ buffer: plain });
    assert.ok(compressed.length < plain.length / 5, `${compressed.length} bytes`);
    assert.equal(decode(await codec.decompress(compressed)), text);
    assert.equal(decode(await codec.decompress(await codec.compress({ buffer: new Uint8Array() }))), "");
  });

  Deno.test(`${name} rejects bytes that are none of its own`, async () => {
    await assert.rejects(codec.decompress(new Uint8Array(64).fill(0xff)));
    const compressed = await codec.compress({ buffer: plain });
    await assert.rejects(
      async () => assert.equal(decode(await codec.decompress(compressed.subarray(0, 50))), text),
    );
  });
}

Deno.test("snappy reads the frame of Kafka's Java clients, block by block", async () => {
  const blocks = await Promise.all(["one ", "two"].map((part) => snappy.compress({ buffer: encode(part) })));
  const header = [0x82, ...encode("SNAPPY"), 0, 0, 0, 0, 1, 0, 0, 0, 1];
  const framed = Uint8Array.from([
    ...header,
    ...blocks.flatMap((block) => [0, 0, 0, block.length, ...block]),
  ]);
  assert.equal(decode(await snappy.decompress(framed)), "one two");
  await assert.rejects(snappy.decompress(framed.subarray(0, framed.length - 1)), CorruptBatch);
});

Deno.test("snappy and lz4Frame take no memory for a block that claims to be huge", async () => {
  await assert.rejects(snappy.decompress(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0)), CorruptBatch);
  // A frame with its content size in the header: 2^31 - 1 bytes.
  const frame = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x68, 0x40, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0);
  await assert.rejects(lz4Frame.decompress(frame), CorruptBatch);
});

function encode(part: string): Uint8Array {
  return new TextEncoder().encode(part);
}
