// Dead letters read from their headers, which of them a filter selects, and how they are grouped.

import assert from "node:assert/strict";
import { bytesAsText, toDeadLetter } from "../../../../consumer/dead_letters/letter.ts";
import { type Filter, matches } from "../../../../consumer/dead_letters/filter.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function stored(headers: KafkaRecord["headers"] = {}, offset = 0): KafkaRecord {
  return {
    topic: "t.dlq",
    partition: 0,
    offset,
    timestampMs: 5000,
    key: bytes("k"),
    value: bytes("Grüße"),
    headers,
  };
}

const ORIGIN = {
  "ackpool-origin-topic": "t",
  "ackpool-origin-partition": "2",
  "ackpool-origin-offset": "17",
  "ackpool-origin-timestamp": "1000",
};

Deno.test("toDeadLetter() reads origin, cause and counts", () => {
  const letter = toDeadLetter(stored({
    ...ORIGIN,
    "ackpool-status": "422",
    "ackpool-reason": "rejected",
    "ackpool-problem": '{"type":"/problems/x","detail":"cut off he',
    "ackpool-attempts": "2",
    "ackpool-replays": "1",
    "ackpool-dead-lettered-at": "2026-01-01T00:00:00.000Z",
  }));
  assert.deepEqual(letter.origin, { topic: "t", partition: 2, offset: 17, timestampMs: 1000 });
  assert.equal(letter.cause, "rejected 422 /problems/x");
  assert.deepEqual([letter.attempts, letter.replays], [2, 1]);
  assert.equal(letter.atMs, Date.parse("2026-01-01"));
});

Deno.test("toDeadLetter() takes somebody else's record for one without an origin", () => {
  const letter = toDeadLetter(stored({ ...ORIGIN, "ackpool-origin-offset": "-3" }));
  assert.deepEqual([letter.origin, letter.cause, letter.atMs], [undefined, "unknown", 5000]);
});

Deno.test("bytesAsText() shows bytes that are no UTF-8 as base64", () => {
  assert.deepEqual([bytesAsText(bytes("é")), bytesAsText(Uint8Array.of(0xff, 0))], ["é", "base64:/wA="]);
});

Deno.test("matches() asks for all that is given", () => {
  const record = stored({ "ackpool-status": "503", "ackpool-problem": "Database away" });
  const letter = toDeadLetter(record);
  const meant: Filter[] = [
    {},
    { statuses: ["422", "5xx"] },
    { key: "k", grep: "GRÜSSE".replace("SS", "ß") },
    { grep: "database" },
    { sinceMs: 5000, untilMs: 5001 },
    { positions: ["t.dlq/0/0"] },
  ];
  const others: Filter[] = [
    { statuses: ["4xx"] },
    { key: "K" },
    { untilMs: 5000 },
    { statuses: ["503"], grep: "nothing of it" },
    { positions: ["t.dlq/0/1"] },
    { cause: "unknown" },
  ];
  assert.deepEqual(meant.filter((filter) => !matches(filter, letter, record)), []);
  assert.deepEqual(others.filter((filter) => matches(filter, letter, record)), []);
});
