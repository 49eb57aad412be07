// Tests of the lines of a streamed batch.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type BatchRecord,
  batchSizeOf,
  isNdjson,
  readAnswerLine,
  readRecordLine,
  writeAnswerLine,
  writeRecordLine,
} from "../../../../shared/contract/batch_lines.ts";

const text = fc.string({ unit: "binary" });
const names = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/).map((name) => `ce-${name}`);
const numbers = fc.oneof(fc.integer().map(String), text);
const headersOf = fc.record({
  "idempotency-key": text,
  "ackpool-timestamp": numbers,
  "ackpool-attempt": numbers,
  "ackpool-deadline": numbers,
  "traceparent": text,
  "content-type": text,
}, { requiredKeys: ["idempotency-key"] });
const bytes = fc.oneof(
  fc.uint8Array(),
  text.map((each) => new TextEncoder().encode(each)),
  fc.constant(null),
);
const records = fc.tuple(headersOf, fc.dictionary(names, text, { noNullPrototype: true }), bytes).map((
  [own, others, body],
): BatchRecord => ({
  headers: { ...others, ...own, ...(body === null ? { "ackpool-tombstone": "true" } : {}) },
  body,
}));

Deno.test("readRecordLine() gives back what writeRecordLine() was given, bytes, headers and tombstones", () => {
  fc.assert(fc.property(records, (record) => {
    const line = writeRecordLine(record);
    assert.equal(line.indexOf("\n"), line.length - 1);
    assert.deepEqual(readRecordLine(line), record);
  }));
});

Deno.test("readAnswerLine() gives back what writeAnswerLine() was given", () => {
  const answers = fc.record({
    key: text,
    status: fc.integer({ min: 200, max: 599 }),
    headers: fc.dictionary(names, text, { noNullPrototype: true }),
    problem: fc.option(fc.record({ type: text, title: text }, { noNullPrototype: true }), { nil: undefined }),
  });
  fc.assert(fc.property(answers, (line) => {
    const written = writeAnswerLine(line);
    assert.equal(written.indexOf("\n"), written.length - 1);
    assert.deepEqual(readAnswerLine(written), { ...line });
  }));
});

Deno.test("readAnswerLine() and readRecordLine() never throw, and take nothing for a line that is none", () => {
  const lines = fc.oneof(text, fc.json());
  fc.assert(fc.property(lines, (line) => {
    for (const read of [readAnswerLine(line), readRecordLine(line)]) {
      if (read !== undefined) assert.match(line, /"key"/);
    }
  }));
  const bad = [
    "",
    "null",
    "[]",
    "{}",
    '{"key":1,"status":200}',
    '{"key":"a"}',
    '{"key":"a","status":"200"}',
    '{"key":"a","status":200.5}',
    '{"key":"a","status":100}',
    '{"key":"a","status":600}',
    '{"key":"a","status":200',
  ];
  for (const line of bad) assert.equal(readAnswerLine(line), undefined, line);
  for (const line of ['{"key":"a"}', '{"key":"a","valueBase64":"%"}', '{"value":"a"}']) {
    assert.equal(readRecordLine(line), undefined, line);
  }
});

Deno.test("writeRecordLine() writes what the wire format shows", () => {
  const record = {
    headers: {
      "idempotency-key": '"support-tickets/3/1042"',
      "ackpool-timestamp": "1795000000000",
      "ackpool-attempt": "1",
      "ackpool-deadline": "59000",
      "content-type": "application/json",
      "ce-id": "7",
    },
    body: new TextEncoder().encode('{"a":1}'),
  };
  assert.deepEqual(JSON.parse(writeRecordLine(record)), {
    key: '"support-tickets/3/1042"',
    timestamp: 1795000000000,
    attempt: 1,
    deadlineMs: 59000,
    contentType: "application/json",
    headers: { "ce-id": "7" },
    value: '{"a":1}',
  });
  const bytes = { ...record, body: Uint8Array.of(0xff, 0) };
  assert.equal(JSON.parse(writeRecordLine(bytes)).valueBase64, "/wA=");
});

Deno.test("readAnswerLine() takes header names in any case, and passes over what is no text", () => {
  const line = readAnswerLine('{"key":"a","status":429,"headers":{"Retry-After":"2","x":3},"new":1}');
  assert.deepEqual(line, { key: "a", status: 429, headers: { "retry-after": "2" }, problem: undefined });
});

Deno.test("batchSizeOf() reads how many lines a worker takes: never more than 64", () => {
  const sizes = [
    "ndjson; max=64",
    "ndjson;max=8",
    "NDJSON ; Max = 16",
    "ndjson",
    "ndjson; max=1000",
    "json; max=9",
    "",
    undefined,
  ].map(batchSizeOf);
  assert.deepEqual(sizes, [64, 8, 16, 64, 64, 0, 0, 0]);
});

Deno.test("isNdjson() looks at the type and not at its parameters", () => {
  assert.deepEqual(
    ["application/x-ndjson", "Application/X-NDJSON; charset=utf-8", "application/json", ""].map(isNdjson),
    [true, true, false, false],
  );
});
