// Dead letters that a topic does not take as they are: what is left out, and what is said of those refused for good.

import assert from "node:assert/strict";
import type { Delivery } from "../../../../consumer/core/delivery.ts";
import { toDeadLetter } from "../../../../consumer/dead_letters/letter.ts";
import { LetterWriter } from "../../../../consumer/dead_letters/letter_writer.ts";
import { causeText } from "../../../../consumer/records/letter_cause.ts";
import { type PlacedRecord, RecordRefused, RecordTooLarge } from "../../../../consumer/records/log_access.ts";
import { type KafkaRecord, recordBytes } from "../../../../consumer/records/record.ts";

const NAMES = { groupId: "g", deadLetterTopic: undefined, retryTopic: undefined };

function delivery(changes: Partial<KafkaRecord>): Delivery<KafkaRecord> {
  const place = { topic: "t", partition: 3, offset: 42, timestampMs: 5000 };
  const record = { ...place, key: null, value: null, headers: {}, ...changes };
  const lastOutcome = { kind: "answer", status: 422, excerpt: "x".repeat(500) } as const;
  const parked = { origin: undefined, parkedBehind: undefined };
  return {
    record,
    ...parked,
    reason: "rejected",
    lastOutcome,
    attemptsSent: 1,
    attemptsCounted: 1,
  } as unknown as Delivery<
    KafkaRecord
  >;
}

/** A topic that takes records up to a size. */
class SmallTopic {
  readonly written: PlacedRecord[] = [];
  constructor(readonly bytesMax: number) {}

  write(record: PlacedRecord) {
    if (recordBytes(record) > this.bytesMax) return Promise.reject(new RecordTooLarge("too large"));
    this.written.push(record);
    return Promise.resolve({ offset: this.written.length - 1 });
  }
}

async function letterIn(bytesMax: number, changes: Partial<KafkaRecord>) {
  const topic = new SmallTopic(bytesMax);
  const writer = new LetterWriter(topic, NAMES, () => 0);
  await writer.write(delivery(changes), 0);
  const [written] = topic.written;
  assert.ok(written !== undefined);
  return { written, letter: toDeadLetter({ ...written, offset: 0, timestampMs: 0 }), notes: writer.notes() };
}

const LARGE = new Uint8Array(10_000);

Deno.test("LetterWriter.write() writes a letter as it is where the topic takes it", async () => {
  const { written, letter, notes } = await letterIn(20_000, { value: LARGE, headers: { own: "kept" } });
  assert.deepEqual([written.value, letter.isIncomplete, causeText(letter.cause)], [
    LARGE,
    false,
    "rejected 422",
  ]);
  assert.deepEqual([written.headers["ackpool-omitted"], notes], [undefined, []]);
});

Deno.test("LetterWriter.write() leaves out what does not fit, and says where the whole record lies", async () => {
  const key = new Uint8Array(100);
  const omitted = await Promise.all([
    letterIn(5000, { key, value: LARGE, headers: { own: "kept" } }),
    letterIn(5000, { key, value: LARGE, headers: { own: LARGE } }),
    letterIn(5000, { key: LARGE, value: LARGE, headers: { own: LARGE } }),
    letterIn(700, { key, value: null, headers: { own: LARGE } }),
  ]);
  assert.deepEqual(omitted.map(({ written: { headers } }) => headers["ackpool-omitted"]), [
    "value",
    "value,headers",
    "value,headers,key",
    "value,headers,key",
  ]);
  assert.deepEqual(omitted.map(({ written: { key, value } }) => [key?.length, value]), [
    [100, null],
    [100, null],
    [undefined, null],
    [undefined, null],
  ]);
  for (const { letter, notes } of omitted) {
    assert.deepEqual(letter.origin, { topic: "t", partition: 3, offset: 42, timestampMs: 5000 });
    assert.deepEqual([letter.isIncomplete, letter.reason], [true, "rejected"]);
    assert.equal(causeText(letter.cause), "too-large-for-dead-letter-topic 422");
    assert.match(notes.join(), /^too-large-for-dead-letter-topic: 1 /);
  }
});

Deno.test("LetterWriter.causes() says in words what is refused for good, until a letter is written", async () => {
  let refuses = true;
  const write = () => {
    const why = "t.g.dlq takes no such record; with cleanup.policy=compact a topic takes none without a key";
    return refuses ? Promise.reject(new RecordRefused(why)) : Promise.resolve({ offset: 0 });
  };
  const writer = new LetterWriter({ write }, NAMES, () => 7);
  assert.deepEqual(writer.causes(), []);
  await assert.rejects(writer.write(delivery({}), 0), RecordRefused);
  const [cause] = writer.causes();
  assert.deepEqual([cause?.name, cause?.sinceMs], ["dead-letter-topic-unavailable", 7]);
  assert.match(
    `${cause?.detail} ${cause?.remedy}`,
    /t\.g\.dlq .*compact.* without a key.*cleanup\.policy=delete/,
  );
  refuses = false;
  await writer.write(delivery({}), 0);
  assert.deepEqual(writer.causes(), []);
});

Deno.test("LetterWriter.write() leaves passing errors to who tries again, the letter whole", async () => {
  let tries = 0;
  const write = () => {
    tries += 1;
    return Promise.reject(new Error("no leader"));
  };
  const writer = new LetterWriter({ write }, NAMES, () => 0);
  await assert.rejects(writer.write(delivery({ value: LARGE }), 0), /no leader/);
  assert.deepEqual([tries, writer.causes()], [1, []]);
});

Deno.test("LetterWriter.writeUnread() writes one letter for records that nobody can read, which is not replayed", async () => {
  const topic = new SmallTopic(20_000);
  const writer = new LetterWriter(topic, NAMES, () => 0);
  const range = { topic: "t", partition: 3, from: 7, to: 11, records: 5, timestampMs: 5000, why: "too much" };
  await writer.writeUnread(range, 0);
  await writer.writeUnread({ ...range, topic: "t.g.retry" }, 0);
  const letters = topic.written.map((each) => ({
    topic: each.topic,
    partition: each.partition,
    letter: toDeadLetter({ ...each, offset: 0, timestampMs: 0 }),
  }));
  assert.deepEqual(letters.map(({ topic, partition }) => [topic, partition]), [["t.g.dlq", 3], [
    "t.g.dlq",
    3,
  ]]);
  const [first, second] = letters.map(({ letter }) => letter);
  assert.deepEqual(first?.origin, { topic: "t", partition: 3, offset: 7, timestampMs: 5000 });
  assert.equal(second?.origin?.topic, "t.g.retry");
  assert.deepEqual([first?.isIncomplete, first?.cause.reason], [true, "unreadable-batch"]);
  assert.equal(first?.reason, "unreadable-batch: 5 records, offsets 7 to 11");
  assert.match(writer.notes().join(), /unreadable-batch: 10 records/);
});
