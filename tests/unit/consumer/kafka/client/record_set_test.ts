// Reading records out of the bytes of a fetch: the same as kafkajs reads, and within bounds where kafkajs has none.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CompressionTypes } from "kafkajs";
import Decoder from "kafkajs/src/protocol/decoder.js";
import decodeBatch from "kafkajs/src/protocol/recordBatch/v0/decoder.js";
import { RecordBatch } from "kafkajs/src/protocol/recordBatch/v0/index.js";
import encodeRecord from "kafkajs/src/protocol/recordBatch/record/v0/index.js";
import { registerCodecs, UNPACKED_BYTES_MAX } from "../../../../../consumer/kafka/client/codecs.ts";
import { isRecordSet, newBudget, readRecordSet } from "../../../../../consumer/kafka/client/record_set.ts";

registerCodecs();

interface Part {
  readonly key?: string | null;
  readonly value: string | Buffer | null;
  readonly offsetDelta?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** A batch as kafkajs writes it. */
async function batchOf(
  parts: readonly Part[],
  { compression = CompressionTypes.None, firstOffset = 0, last = parts.length - 1 } = {},
): Promise<Buffer> {
  const records = parts.map((part, n) =>
    (encodeRecord as unknown as (record: object) => unknown)({
      offsetDelta: n,
      timestampDelta: n * 1000 - 500,
      key: null,
      ...part,
    })
  );
  const encode = RecordBatch as unknown as (batch: object) => Promise<{ readonly buffer: Buffer }>;
  const batch = await encode({
    compression,
    records,
    firstOffset,
    lastOffsetDelta: last,
    firstTimestamp: 1_700_000_000_000,
    maxTimestamp: 1_700_000_099_000,
  });
  return Buffer.from(batch.buffer);
}

const offsets = (records: readonly { readonly offset: string }[]) =>
  records.map(({ offset }) => Number(offset));

const CODECS = ["None", "GZIP", "Snappy", "LZ4", "ZSTD"] as const;

for (const codec of CODECS) {
  Deno.test(`readRecordSet() reads what kafkajs reads, compressed with ${codec}`, async () => {
    const parts: readonly Part[] = [
      { key: "k", value: "v", headers: { a: "1", b: ["2", "3"] } },
      { key: null, value: null },
      { key: "", value: "ü".repeat(300), headers: { a: "" } },
    ];
    const compression = CompressionTypes[codec];
    const bytes = await batchOf(parts, { compression, firstOffset: 2 ** 40 });
    const Reader = Decoder as unknown as new (bytes: Buffer) => unknown;
    const read = decodeBatch as unknown as (
      decoder: unknown,
    ) => Promise<{ records: Record<string, unknown>[] }>;
    const { records: expected } = await read(new Reader(bytes));
    const { records, unread } = await readRecordSet(bytes, 0, newBudget());
    const plain = (each: unknown) => {
      const { batchContext: _, ...record } = each as Record<string, unknown>;
      return record;
    };
    assert.deepEqual(records.map(plain), expected.map(plain));
    assert.equal(unread, undefined);
    assert.ok(isRecordSet(bytes));
  });
}

Deno.test("readRecordSet() begins at the offset that was asked for, and ends where the bytes do", async () => {
  const first = await batchOf([{ value: "0" }, { value: "1" }, { value: "2" }]);
  const second = await batchOf([{ value: "3" }, { value: "4" }], { firstOffset: 3 });
  const both = Buffer.concat([first, second]);
  assert.deepEqual(offsets((await readRecordSet(both, 1, newBudget())).records), [1, 2, 3, 4]);
  assert.deepEqual(offsets((await readRecordSet(both, 4, newBudget())).records), [4]);
  assert.deepEqual(offsets((await readRecordSet(both.subarray(0, -1), 0, newBudget())).records), [0, 1, 2]);
  assert.deepEqual((await readRecordSet(first.subarray(0, 20), 0, newBudget())).records, []);
});

Deno.test("readRecordSet() stands for what compaction took with a record that nobody gets", async () => {
  const bytes = await batchOf([{ value: "0" }, { value: "2", offsetDelta: 2 }], { last: 9 });
  const { records } = await readRecordSet(bytes, 0, newBudget());
  assert.deepEqual(
    records.map(({ offset, isControlRecord }) => [offset, isControlRecord]),
    [["0", false], ["2", false], ["9", true]],
  );
  // Nothing is left of it above.
  assert.deepEqual(offsets((await readRecordSet(bytes, 5, newBudget())).records), [9]);
  const empty = await batchOf([], { firstOffset: 20, last: 4 });
  assert.deepEqual(offsets((await readRecordSet(empty, 20, newBudget())).records), [24]);
});

for (const codec of ["GZIP", "Snappy", "LZ4", "ZSTD"] as const) {
  Deno.test(`readRecordSet() names a batch that unpacks to too much with ${codec}, behind what can be read`, async () => {
    const good = await batchOf([{ value: "good" }]);
    const trap = Buffer.alloc(UNPACKED_BYTES_MAX + 1);
    const bomb = await batchOf([{ value: "small" }, { value: trap }], {
      compression: CompressionTypes[codec],
      firstOffset: 1,
    });
    assert.ok(bomb.length < UNPACKED_BYTES_MAX / 10, `${bomb.length} bytes`);
    const after = await batchOf([{ value: "after" }], { firstOffset: 3 });
    const { records, unread } = await readRecordSet(Buffer.concat([good, bomb, after]), 0, newBudget());
    assert.deepEqual(offsets(records), [0]);
    assert.deepEqual({ ...unread, why: "" }, {
      from: 1,
      to: 2,
      records: 2,
      timestampMs: 1_700_000_099_000,
      why: "",
    });
    assert.match(unread?.why ?? "", /unpacks to more than/);
    // From its middle on, as after a commit there.
    assert.equal((await readRecordSet(bomb, 2, newBudget())).unread?.from, 2);
  });
}

Deno.test("readRecordSet() names a batch whose records are cut off, or compressed by nobody knows what", async () => {
  const bytes = await batchOf([{ value: "0" }, { value: "1" }]);
  // The first record says that it has more bytes than there are.
  bytes[61] = 0x7e;
  assert.match((await readRecordSet(bytes, 0, newBudget())).unread?.why ?? "", /cut off/);
  const packed = await batchOf([{ value: "0" }], { compression: CompressionTypes.GZIP });
  packed[22] = (packed[22] ?? 0) | 7;
  assert.match((await readRecordSet(packed, 0, newBudget())).unread?.why ?? "", /no codec 7/);
  const damaged = await batchOf([{ value: "0" }], { compression: CompressionTypes.GZIP });
  damaged.fill(0xff, 61);
  const { unread } = await readRecordSet(damaged, 0, newBudget());
  assert.deepEqual([unread?.from, unread?.to], [0, 0]);
});

Deno.test("readRecordSet() reads a batch of very many records a part at a time", async () => {
  const parts = Array.from({ length: 300 }, () => ({ value: "x" }));
  const bytes = await batchOf(parts, { compression: CompressionTypes.ZSTD });
  const seen: number[] = [];
  for (let next = 0; next < parts.length;) {
    const { records } = await readRecordSet(bytes, next, { bytes: 1, records: 100 });
    assert.equal(records.length, 100);
    seen.push(...offsets(records));
    next = (seen.at(-1) ?? 0) + 1;
  }
  assert.deepEqual(seen, parts.map((_, n) => n));
  // Nothing is taken for which there is no room.
  assert.deepEqual((await readRecordSet(bytes, 0, { bytes: 0, records: 100 })).records, []);
});

Deno.test("readRecordSet() keeps headers that are called like what objects have by themselves", async () => {
  const headers = { constructor: "c", toString: ["t", "u"] };
  const { records } = await readRecordSet(await batchOf([{ value: "v", headers }]), 0, newBudget());
  assert.deepEqual(Object.entries(records[0]?.headers ?? {}).map(([name, value]) => [name, String(value)]), [
    ["constructor", "c"],
    ["toString", "t,u"],
  ]);
});

Deno.test("readRecordSet() takes time in proportion to a record's headers", async () => {
  const headers = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`h${n}`, "v"]));
  const bytes = await batchOf([{ value: "v", headers }]);
  const { records } = await readRecordSet(bytes, 0, newBudget());
  assert.equal(Object.keys(records[0]?.headers ?? {}).length, 50_000);
});
