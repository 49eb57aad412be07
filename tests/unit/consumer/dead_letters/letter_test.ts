// Dead letters read from their headers, which of them a filter selects, and how they are grouped.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bytesAsText,
  Header,
  letterOriginOf,
  toDeadLetter,
  toLetterRecord,
} from "../../../../consumer/dead_letters/letter.ts";
import { type Filter, matches } from "../../../../consumer/dead_letters/filter.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";
import { causeOf, causeText } from "../../../../consumer/records/letter_cause.ts";
import type { LetterOrigin } from "../../../../consumer/core/parking/letters.ts";
import { readMark } from "../../../../consumer/dead_letters/marks/marks.ts";

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

const NAMES = { groupId: "g", deadLetterTopic: undefined, retryTopic: undefined };
const NOW_MS = Date.parse("2026-01-31T12:00:00.123Z");

const text = fc.string({ unit: "binary" });
const header = fc.oneof(text, fc.uint8Array(), fc.constant(undefined), fc.array(text));
const problem = fc.oneof(fc.constant(undefined), fc.webUrl(), fc.constant('/problems/a "quoted" \\one'));
const outcome = fc.oneof(
  fc.constant(undefined),
  fc.record({ kind: fc.constantFrom("timeout", "refused", "reset"), detail: text }),
  fc.record({ status: fc.integer({ min: 100, max: 599 }), problem, title: text }).map(
    ({ status, problem: problemType, title }) => ({
      kind: "answer" as const,
      status,
      excerpt: JSON.stringify(problemType === undefined ? { title } : { type: problemType, title }).slice(
        0,
        1024,
      ),
      ...(problemType === undefined ? {} : { problemType }),
    }),
  ),
);
const REASONS = [
  "rejected",
  "attempts-exhausted",
  "ticket-not-found",
  "asked-by-worker",
  "operator",
] as const;
const record = fc.record({
  topic: fc.constantFrom("t", "orders.v1"),
  partition: fc.nat(),
  offset: fc.nat(),
  timestampMs: fc.oneof(fc.nat(), fc.constant(-1)),
  key: fc.option(fc.uint8Array()),
  value: fc.option(fc.uint8Array()),
  headers: fc.dictionary(text, header),
});

Deno.test("toDeadLetter() reads back what toLetterRecord() wrote", () => {
  fc.assert(
    fc.property(record, outcome, fc.constantFrom(...REASONS), fc.nat(), (record, last, reason, attempts) => {
      const delivery = {
        record,
        origin: undefined,
        reason,
        lastOutcome: last,
        parkedBehind: undefined,
        attemptsSent: attempts,
        attemptsCounted: attempts >> 1,
      };
      const written = toLetterRecord(delivery, NAMES, NOW_MS);
      const { topic, partition, offset, timestampMs, key, value } = record;
      assert.deepEqual([written.key, written.value], [key, value]);
      const cause = causeOf(reason, last);
      assert.deepEqual(toDeadLetter({ ...written, offset: 3, timestampMs: 1 }), {
        topic: `${topic}.g.dlq`,
        partition,
        offset: 3,
        origin: { topic, partition, offset, timestampMs },
        key: key === null ? null : bytesAsText(key),
        bytes: (key?.length ?? 0) + (value?.length ?? 0),
        status: cause.status,
        reason,
        behind: undefined,
        cause,
        attempts,
        attemptsCounted: attempts >> 1,
        replays: 0,
        atMs: NOW_MS,
        replayedFrom: undefined,
        isIncomplete: false,
      });
    }),
  );
});

Deno.test("toDeadLetter() reads back what toLetterRecord() wrote of a parked record", () => {
  fc.assert(fc.property(record, outcome, fc.constantFrom(...REASONS), (record, last, reason) => {
    const cause = causeOf(reason, last);
    const parkedBehind = { place: "t/0/17", cause };
    const delivery = {
      record,
      origin: undefined,
      reason: "parked" as const,
      lastOutcome: undefined,
      parkedBehind,
      attemptsSent: 0,
      attemptsCounted: 0,
    };
    const letter = toDeadLetter({ ...toLetterRecord(delivery, NAMES, NOW_MS), offset: 3, timestampMs: 1 });
    assert.deepEqual([letter.status, letter.reason, letter.behind], ["parked", "parked", "t/0/17"]);
    assert.deepEqual(letter.cause, cause);
  }));
});

Deno.test("toLetterRecord() keeps a replay's origin and count, and believes no such header of any other record", () => {
  const forged = {
    ...ORIGIN,
    "ackpool-replays": "3",
    "ackpool-replayed-from": "t.g.dlq/0/9",
    "ackpool-parked-cause": "forged",
    "ackpool-mark": "replayed",
    "ackpool-mark-offsets": "0-100",
    own: "kept",
  };
  const read = (topic: string, origin: LetterOrigin | undefined) => {
    const record = { ...stored(forged, 5), topic };
    const delivery = {
      record,
      origin,
      reason: "rejected",
      lastOutcome: undefined,
      parkedBehind: undefined,
    } as const;
    const written = {
      ...toLetterRecord({ ...delivery, attemptsSent: 1, attemptsCounted: 1 }, NAMES, NOW_MS),
      offset: 6,
      timestampMs: 0,
    };
    assert.equal(written.headers["own"], "kept");
    assert.equal(readMark(written), undefined);
    assert.equal(written.headers["ackpool-parked-cause"], undefined);
    const carried = origin === undefined ? "replayed" : undefined;
    assert.equal(written.headers["ackpool-carried-ackpool-mark"], carried);
    return toDeadLetter(written);
  };
  const first = read("t", undefined);
  assert.deepEqual(first.origin, { topic: "t", partition: 0, offset: 5, timestampMs: 5000 });
  assert.deepEqual([first.topic, first.replays, first.replayedFrom], ["t.g.dlq", 0, undefined]);
  const origin = { topic: "t", partition: 2, offset: 17, timestampMs: 1000 };
  const again = read("t.g.retry", { ...origin, letter: 9 });
  assert.deepEqual(again.origin, origin);
  assert.deepEqual([again.topic, again.replays, again.replayedFrom], ["t.g.dlq", 3, "t.g.dlq/0/9"]);
});

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
  assert.deepEqual(letter.cause, { reason: "rejected", status: "422", problem: "/problems/x" });
  assert.deepEqual([letter.attempts, letter.replays], [2, 1]);
  assert.equal(letter.atMs, Date.parse("2026-01-01"));
});

Deno.test("toDeadLetter() takes somebody else's record for one without an origin", () => {
  const letter = toDeadLetter(stored({ ...ORIGIN, "ackpool-origin-offset": "-3" }));
  assert.deepEqual([letter.origin, causeText(letter.cause), letter.atMs], [undefined, "unknown", 5000]);
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

Deno.test("toDeadLetter(), letterOriginOf() and readMark() never throw on anybody's headers, and give no place that is none", () => {
  const names = [...Object.values(Header), "ackpool-mark", "ackpool-mark-offsets", "ackpool-mark-replays"];
  const said = fc.oneof(
    header,
    fc.constantFrom(
      "-1",
      "9".repeat(15),
      "9".repeat(16),
      "1e9",
      "replayed",
      "dropped",
      "0-999999999999999",
      "t/0/1",
    ),
    fc.constantFrom(
      "parked behind t/0/1",
      '{"type":"\\u0000"}',
      '{"type":"',
      "2026-13-45T99:99:99Z",
      "+275760-09-13",
    ),
  );
  const record = fc.record({
    key: fc.option(fc.uint8Array()),
    value: fc.option(fc.uint8Array()),
    headers: fc.dictionary(fc.constantFrom(...names), said),
  });
  fc.assert(
    fc.property(record, (given) => {
      const read = { ...stored(), offset: 50, ...given };
      const { origin, replays, attempts, atMs } = toDeadLetter(read);
      for (const count of [replays, attempts]) assert.ok(Number.isSafeInteger(count) && count >= 0);
      assert.ok(Number.isFinite(atMs));
      assert.deepEqual(letterOriginOf(read) === undefined, origin === undefined);
      if (origin !== undefined) {
        assert.match(origin.topic, /^[\w.-]{1,249}$/);
        assert.ok(Number.isSafeInteger(origin.partition) && Number.isSafeInteger(origin.offset));
      }
      assert.ok((readMark(read)?.offsets ?? []).every((offset) => offset < 50));
    }),
    { numRuns: 1000 },
  );
});
