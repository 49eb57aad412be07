import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { KafkaMessage } from "kafkajs";
import { toReceived } from "../../../../consumer/kafka/message.ts";

/** Messages as kafkajs reads them: their bytes are parts of one fetch. */
function fetched(count: number, headers: (at: number) => KafkaMessage["headers"] = () => ({})) {
  const fetch = Buffer.alloc(1024 * 1024, 7);
  return Array.from({ length: count }, (_, at) =>
    ({
      offset: String(at),
      timestamp: "-1",
      key: fetch.subarray(at * 100, at * 100 + 3),
      value: fetch.subarray(at * 100 + 3, at * 100 + 90),
      headers: headers(at),
    }) as unknown as KafkaMessage);
}

Deno.test("toReceived() keeps a record's bytes and nothing else of its fetch", () => {
  const [message] = fetched(1, () => ({ one: Buffer.from("1"), many: [Buffer.from("a"), Buffer.from("b")] }));
  assert.ok(message !== undefined);
  const { record } = toReceived("t", 0, message, false);
  assert.deepEqual([record.key?.length, record.value?.length], [3, 87]);
  assert.deepEqual(record.headers["many"], [Buffer.from("a"), Buffer.from("b")]);
  for (const bytes of [record.key, record.value, record.headers["one"]]) {
    assert.ok(bytes instanceof Uint8Array);
    assert.ok(bytes.buffer.byteLength <= 93, `${bytes.buffer.byteLength} bytes are kept`);
  }
});

Deno.test("toReceived() counts headers as it counts keys and values", () => {
  const [bare] = fetched(1);
  const [laden] = fetched(1, () => ({ large: Buffer.alloc(50_000), more: [Buffer.alloc(5000)] }));
  assert.ok(bare !== undefined && laden !== undefined);
  const more = toReceived("t", 0, laden, false).bytes - toReceived("t", 0, bare, false).bytes;
  assert.ok(more >= 55_000 && more < 56_000, String(more));
});

Deno.test("toReceived() takes tombstones, keyless records and headers that objects have by themselves", () => {
  const [message] = fetched(1);
  assert.ok(message !== undefined);
  const bare = {
    ...message,
    key: null,
    value: null,
    headers: Object.fromEntries([["__proto__", Buffer.from("x")]]),
  };
  const { record, key } = toReceived("t", 0, bare as KafkaMessage, true);
  assert.deepEqual([record.key, record.value, key], [null, null, null]);
  assert.deepEqual(Object.entries(record.headers), [["__proto__", Buffer.from("x")]]);
});
