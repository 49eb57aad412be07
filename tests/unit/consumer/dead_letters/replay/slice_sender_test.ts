// Slices of a replay: how many dead letters go into one transaction, and what a partition takes at once.

import assert from "node:assert/strict";
import {
  batchLength,
  nextSlice,
  SliceSender,
} from "../../../../../consumer/dead_letters/replay/slice_sender.ts";
import { type KafkaRecord, recordBytes } from "../../../../../consumer/records/record.ts";
import { type PlacedRecord, RecordTooLarge } from "../../../../../consumer/records/log_access.ts";
import type {
  DeadLetterPorts,
  LetterReader,
  LetterSender,
} from "../../../../../consumer/dead_letters/ports.ts";
import { toDeadLetter } from "../../../../../consumer/dead_letters/letter.ts";

Deno.test("nextSlice() is bounded in number, in bytes and by the rate, and never empty", () => {
  const all = Array.from({ length: 1000 }, () => ({ bytes: 10 }));
  const large = Array.from({ length: 3 }, () => ({ bytes: 5_000_000 }));
  assert.equal(nextSlice(all, 0, undefined).length, 500);
  assert.equal(nextSlice(all, 900, undefined).length, 100);
  assert.equal(nextSlice(all, 0, 50).length, 25);
  assert.equal(nextSlice(all, 0, 1).length, 1);
  assert.equal(nextSlice(large, 0, undefined).length, 1);
});

Deno.test("batchLength() bounds the bytes of each partition, headers counted, and is never 0", () => {
  const record = (partition: number, bytes: number, headers = {}) => ({
    topic: "r",
    partition,
    key: null,
    value: new Uint8Array(bytes),
    headers,
  });
  const many = Array.from({ length: 10 }, () => record(0, 1000));
  assert.equal(batchLength(many, 3500), 3);
  assert.equal(batchLength(Array.from({ length: 10 }, (_, n) => record(n % 2, 1000)), 3500), 6);
  assert.equal(batchLength(many.map(() => record(0, 0, { own: "x".repeat(1000) })), 3500), 3);
  assert.equal(batchLength([record(0, 9999), record(0, 1)], 3500), 1);
  assert.equal(batchLength(many, Infinity), 10);
});

/** Dead letters in memory, and a retry topic that takes batches up to a size. */
function scene(count: number, bytes: number, bytesMax: number) {
  const records = Array.from({ length: count }, (_, offset): KafkaRecord => ({
    topic: "t.g.dlq",
    partition: 0,
    offset,
    timestampMs: 0,
    key: null,
    value: new Uint8Array(bytes),
    headers: {
      "ackpool-origin-topic": "t",
      "ackpool-origin-partition": "0",
      "ackpool-origin-offset": String(offset),
      "ackpool-origin-timestamp": "0",
    },
  }));
  const batches: (readonly PlacedRecord[])[] = [];
  const sender: LetterSender = {
    send: (batch, more) => {
      const size = batch.reduce((sum, record) => sum + recordBytes(record), 0);
      if (size > bytesMax) return Promise.reject(new RecordTooLarge("too large"));
      const offsets = batch.map((_, each) => batches.flat().length + each);
      batches.push(batch);
      marks.push(...more?.(offsets) ?? []);
      return Promise.resolve(offsets);
    },
    close: () => Promise.resolve(),
  };
  const marks: PlacedRecord[] = [];
  const reader: LetterReader = {
    read: async (ranges, visit) => {
      for (const { from, to } of ranges) await visit(records.slice(from, to));
    },
  };
  const ports = {
    groupId: "g",
    retryTopicOf: () => "t.g.retry",
    offsets: { partitions: () => Promise.resolve(1) },
    reader: () => Promise.resolve(reader),
    nowMs: () => 0,
    pause: () => Promise.resolve(),
  } as unknown as DeadLetterPorts;
  const slices = new SliceSender(ports, sender, undefined, new AbortController().signal);
  return { slices, batches, marks, letters: records.map(toDeadLetter) };
}

Deno.test("SliceSender.send() sends no partition more than it takes at once, each batch with its marks", async () => {
  const { slices, batches, marks, letters } = scene(600, 3000, 1024 * 1024);
  const sent = (await Array.fromAsync(slices.send(letters))).flat();
  assert.deepEqual(sent.map(({ offset }) => offset), letters.map(({ offset }) => offset));
  assert.equal(batches.length, 4);
  assert.equal(marks.length, batches.length);
  assert.deepEqual(
    marks.map(({ headers }) => headers["ackpool-mark-offsets"])[0],
    `0-${(batches[0]?.length ?? 0) - 1}`,
  );
});

Deno.test("SliceSender.send() learns what a topic takes that takes less than most", async () => {
  const { slices, batches, letters } = scene(50, 3000, 10_000);
  const sent = (await Array.fromAsync(slices.send(letters))).flat();
  assert.equal(sent.length, 50);
  assert.ok(Math.max(...batches.map(({ length }) => length)) <= 3);
});

Deno.test("SliceSender.send() names a letter that the retry topic does not take", async () => {
  const { slices, batches, letters } = scene(2, 3000, 100);
  await assert.rejects(
    Array.fromAsync(slices.send(letters)),
    /^RecordTooLarge: Cannot replay t\.g\.dlq\/0\/0: .*t\.g\.retry/,
  );
  assert.deepEqual(batches, []);
});
