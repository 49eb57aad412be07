// Parked dead letters: whose cause they have, who means them, and what they may not overtake.

import assert from "node:assert/strict";
import { type DeadLetter, toDeadLetter } from "../../../../../consumer/dead_letters/letter.ts";
import { type Filter, matches, onlyFollows } from "../../../../../consumer/dead_letters/filter.ts";
import {
  byOrigin,
  firstThatStay,
  isBlocked,
  laneOf,
} from "../../../../../consumer/dead_letters/replay/key_order.ts";
import { marksFor } from "../../../../../consumer/dead_letters/marks/marks.ts";
import type { DeadLetterPorts } from "../../../../../consumer/dead_letters/ports.ts";
import type { KafkaRecord } from "../../../../../consumer/records/record.ts";
import type { Visit } from "../../../../../consumer/records/log_access.ts";
import { causeText } from "../../../../../consumer/records/letter_cause.ts";

/** The letter at `offset` of a record of key `k` that was read at `t/0/origin`. */
function letter(offset: number, origin: number, reason = "rejected", key = "k", cause?: string): DeadLetter {
  return toDeadLetter(stored(offset, origin, reason, key, cause));
}

function stored(offset: number, origin: number, reason: string, key: string, cause?: string): KafkaRecord {
  return {
    topic: "t.dlq",
    partition: 0,
    offset,
    timestampMs: 0,
    key: new TextEncoder().encode(key),
    value: null,
    headers: {
      "ackpool-origin-topic": "t",
      "ackpool-origin-partition": "0",
      "ackpool-origin-offset": String(origin),
      "ackpool-origin-timestamp": "0",
      "ackpool-status": reason === "rejected" ? "422" : "parked",
      "ackpool-reason": reason,
      ...(cause === undefined ? {} : { "ackpool-parked-cause": cause }),
    },
  };
}

const RECORD = stored(0, 0, "rejected", "k");
const recordOf = ({ offset, origin, reason, key }: DeadLetter): KafkaRecord =>
  stored(offset, origin?.offset ?? 0, reason, key ?? "");

Deno.test("toDeadLetter() knows a parked one and what it is parked behind", () => {
  const parked = letter(1, 1, "parked behind t/0/0");
  assert.deepEqual([parked.reason, parked.behind], ["parked", "t/0/0"]);
  assert.equal(letter(0, 0).behind, undefined);
});

Deno.test("toDeadLetter() gives a parked one the cause of its first, where it says so", () => {
  assert.equal(causeText(letter(1, 1, "parked behind t/0/0", "k", "rejected 422").cause), "rejected 422");
  assert.equal(causeText(letter(1, 1, "parked behind t/0/0").cause), "parked");
});

Deno.test("matches() takes a parked one for what it is parked behind, and onlyFollows() knows", () => {
  const parked = letter(1, 1, "parked behind t/0/0", "k", "rejected 422 /problems/bad");
  const means = (filter: Filter) => [matches(filter, parked, RECORD), onlyFollows(filter, parked)];
  assert.deepEqual(means({ statuses: ["4xx"] }), [true, true]);
  assert.deepEqual(means({ cause: "rejected 422 /problems/bad" }), [true, true]);
  assert.deepEqual(means({ statuses: ["parked"] }), [true, false]);
  assert.deepEqual(means({ key: "k" }), [true, false]);
  assert.deepEqual(means({}), [true, false]);
  assert.deepEqual(matches({ statuses: ["500"] }, parked, RECORD), false);
});

Deno.test("isBlocked() is what would overtake a letter of its key that stays", () => {
  const stays = new Map([[laneOf(letter(0, 2)) ?? "", 2]]);
  assert.equal(isBlocked(letter(1, 3, "parked behind t/0/2"), stays), true);
  assert.equal(isBlocked(letter(1, 1, "parked behind t/0/0"), stays), false);
  assert.equal(isBlocked(letter(2, 4, "parked behind t/0/2", "other"), stays), false);
  // One that is not parked is an operator's own choice.
  assert.equal(isBlocked(letter(3, 9), stays), false);
});

Deno.test("firstThatStay() finds the first open letter of a key that does not go", async () => {
  const records = [letter(0, 5), letter(1, 7), letter(2, 9), letter(3, 1, "rejected", "other")].map(recordOf);
  const [mark] = marksFor("replayed", [{ topic: "t.dlq", partition: 0, offset: 0 }]);
  records.push({ ...RECORD, offset: 4, key: null, headers: mark?.headers ?? {} });
  const ports = {
    topics: () => Promise.resolve(["t.dlq"]),
    offsets: { ranges: () => Promise.resolve([{ topic: "t.dlq", partition: 0, from: 0, to: 5 }]) },
    reader: () => Promise.resolve({ read: async (_: unknown, visit: Visit) => await visit(records) }),
  } as unknown as DeadLetterPorts;
  const lane = laneOf(letter(0, 5)) ?? "";
  const stays = await firstThatStay(ports, new Set([lane]), ({ offset }) => offset === 1);
  assert.deepEqual([...stays], [[lane, 9]]);
});

Deno.test("byOrigin() orders a key by where its records were read first, not by when they were written", () => {
  const again = letter(9, 0);
  const late = letter(5, 3, "parked behind t/0/0");
  assert.deepEqual([late, again].sort(byOrigin), [again, late]);
});
