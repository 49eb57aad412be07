import assert from "node:assert/strict";
import fc from "fast-check";
import { idempotencyKey, parseIdempotencyKey } from "../../../../shared/contract/protocol.ts";

Deno.test("parseIdempotencyKey() reads back what idempotencyKey() wrote, for every name Kafka takes", () => {
  const topic = fc.stringMatching(/^[A-Za-z0-9._-]{1,249}$/);
  const offset = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
  fc.assert(fc.property(topic, fc.integer({ min: 0, max: 2 ** 31 - 1 }), offset, (name, partition, at) => {
    const position = { topic: name, partition, offset: at };
    assert.deepEqual(parseIdempotencyKey(idempotencyKey(name, partition, at)), position);
  }));
});

Deno.test("idempotencyKey() is a quoted string, as Structured Fields have it", () => {
  assert.equal(idempotencyKey("support-tickets", 3, "42"), `"support-tickets/3/42"`);
});

Deno.test("parseIdempotencyKey() leaves other people's keys alone", () => {
  const foreign = [
    "",
    "abc",
    `"abc"`,
    `t/1/2`,
    `"t/1/2/3"`,
    `"t/x/2"`,
    `"t/1/-2"`,
    `"t/1/12345678901234567890"`,
  ];
  for (const key of foreign) assert.equal(parseIdempotencyKey(key), undefined, key);
  fc.assert(fc.property(fc.string(), (key) => {
    if (!key.includes("/")) assert.equal(parseIdempotencyKey(key), undefined);
  }));
});
