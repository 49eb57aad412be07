// Marks: offsets as text, and what they may speak of.

import assert from "node:assert/strict";
import {
  formatRanges,
  Marks,
  marksFor,
  parseRanges,
  readMark,
  replayMarksFor,
} from "../../../../../consumer/dead_letters/marks/marks.ts";
import type { KafkaRecord } from "../../../../../consumer/records/record.ts";

function stored(offset: number, headers: KafkaRecord["headers"]): KafkaRecord {
  return { topic: "t.dlq", partition: 1, offset, timestampMs: 0, key: null, value: null, headers };
}

Deno.test("formatRanges() joins neighbours, whatever their order, and parseRanges() reads it back", () => {
  const text = formatRanges([9, 3, 4, 5, 12, 4]);
  assert.equal(text, "3-5,9,12");
  assert.deepEqual(parseRanges(text), [[3, 5], [9, 9], [12, 12]]);
});

Deno.test("parseRanges() leaves out what is no range", () => {
  assert.deepEqual(parseRanges("1,x,-4,5-"), [[1, 1]]);
});

Deno.test("Marks.stateOf() is what the marks of that partition say", () => {
  const marks = new Marks();
  const at = (offset: number) => ({ topic: "t.dlq", partition: 1, offset });
  const [replayed] = marksFor("replayed", [at(3), at(4)]);
  assert.equal(marks.take(stored(10, replayed?.headers ?? {})), true);
  assert.equal(marks.take(stored(11, marksFor("dropped", [at(7)])[0]?.headers ?? {})), true);
  assert.equal(marks.take(stored(12, { mine: "y" })), false);
  assert.deepEqual([3, 4, 5, 7].map((offset) => marks.stateOf(at(offset))), [
    "replayed",
    "replayed",
    "open",
    "dropped",
  ]);
  assert.equal(marks.stateOf({ topic: "t.dlq", partition: 2, offset: 3 }), "open");
});

Deno.test("a mark speaks of nothing behind itself, however far it reaches", () => {
  const marks = new Marks();
  marks.take(stored(3, { "ackpool-mark": "dropped", "ackpool-mark-offsets": "0-999999999999999" }));
  assert.equal(marks.stateOf({ topic: "t.dlq", partition: 1, offset: 2 }), "dropped");
  assert.equal(marks.stateOf({ topic: "t.dlq", partition: 1, offset: 3 }), "open");
});

Deno.test("marksFor() makes one record a partition", () => {
  const places = [0, 1, 0].map((partition, offset) => ({ topic: "t.dlq", partition, offset }));
  assert.deepEqual(
    marksFor("replayed", places).map((
      { partition, headers },
    ) => [partition, headers["ackpool-mark-offsets"]]),
    [[0, "0,2"], [1, "1"]],
  );
});

Deno.test("replayMarksFor() says of each letter where its replay lies, and readMark() reads it back", () => {
  const letter = (offset: number, partition = 1) => ({ topic: "t.dlq", partition, offset });
  const replay = (offset: number, partition = 1) => ({ topic: "t.retry", partition, offset });
  const [mark, other] = replayMarksFor(
    [letter(7), letter(3), letter(4), letter(5, 2)],
    [replay(20), replay(21), replay(22), replay(9, 2)],
  );
  assert.deepEqual([mark?.partition, other?.partition], [1, 2]);
  assert.deepEqual(readMark(stored(10, mark?.headers ?? {})), {
    done: "replayed",
    offsets: [3, 4, 7],
    places: [21, 22, 20].map((offset) => ({ at: "t.retry/1", offset })),
  });
});

Deno.test("replayMarksFor() says nothing about places that the broker did not tell", () => {
  const [mark] = replayMarksFor([{ topic: "t.dlq", partition: 1, offset: 3 }], [{
    topic: "r",
    partition: 1,
    offset: -1,
  }]);
  assert.deepEqual(readMark(stored(10, mark?.headers ?? {})), { done: "replayed", offsets: [3], places: [] });
});
