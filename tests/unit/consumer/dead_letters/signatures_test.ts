// Tests of signatures: what we wrote is known again as Kafka gives it back, and nothing else is.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { toKafkaHeaders } from "../../../../consumer/kafka/message.ts";
import { SecretMissing, Signatures } from "../../../../consumer/dead_letters/signatures.ts";
import { toDeadLetter } from "../../../../consumer/dead_letters/letter.ts";
import { readMark } from "../../../../consumer/dead_letters/marks/marks.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";
import type { PlacedRecord } from "../../../../consumer/records/log_access.ts";

const SECRET = "a secret of the group";
const OLD = "an older secret of it";
const bytes = (text: string) => new TextEncoder().encode(text);
const unsigned = new Signatures([]);

/** As it comes back: header values are bytes, several of a name one after another, the names in any order. */
function stored(record: PlacedRecord): KafkaRecord {
  const read = Object.entries(toKafkaHeaders(record.headers)).reverse().flatMap(([name, value]) => {
    const all = [value].flat().map((each) => Buffer.from(each ?? ""));
    return all.length === 0 ? [] : [[name, all.length === 1 ? all[0] : all] as const];
  });
  return { ...record, headers: Object.fromEntries(read), offset: 7, timestampMs: 5 };
}

const LETTER: PlacedRecord = {
  topic: "t.g.dlq",
  partition: 4,
  key: bytes("k"),
  value: bytes("v"),
  headers: {
    own: "x",
    "ackpool-origin-topic": "t",
    "ackpool-origin-partition": "4",
    "ackpool-origin-offset": "17",
    "ackpool-origin-timestamp": "1000",
    "ackpool-reason": "rejected",
    "ackpool-replays": "99",
  },
};
const MARK: PlacedRecord = {
  topic: "t.g.dlq",
  partition: 0,
  key: null,
  value: null,
  headers: { "ackpool-mark": "dropped", "ackpool-mark-offsets": "0-999999" },
};

const text = fc.string({ unit: "binary" });
const each = fc.oneof(text, fc.uint8Array(), fc.constant(null));
const value = fc.oneof(each, fc.array(each), fc.constant(undefined));
const placed = fc.record({
  topic: fc.constantFrom("t.g.dlq", "t.g.retry"),
  partition: fc.nat(9),
  key: fc.option(fc.uint8Array()),
  value: fc.option(fc.uint8Array()),
  headers: fc.dictionary(fc.oneof(text, fc.constantFrom("constructor", "1", "0")), value),
});

Deno.test("Signatures.isOurs() knows what Signatures.sign() signed, as Kafka gives it back", () => {
  const ours = new Signatures([SECRET]);
  fc.assert(fc.property(placed, (record) => {
    const read = stored(ours.sign(record));
    assert.equal(ours.isOurs(read), true);
    assert.equal(ours.isOurs({ ...read, partition: read.partition + 1 }), true, "topics have any number");
    assert.equal(ours.isOurs(stored(record)), false);
    assert.equal(new Signatures([OLD]).isOurs(read), false);
  }));
});

Deno.test("Signatures.isOurs() is false for a record of which anything was changed", () => {
  const ours = new Signatures([SECRET]);
  const read = stored(ours.sign(LETTER));
  const { headers } = read;
  const others: KafkaRecord[] = [
    { ...read, topic: "t.g.retry" },
    { ...read, key: bytes("K") },
    { ...read, key: null },
    { ...read, value: null },
    { ...read, value: bytes("") },
    // The same bytes, cut elsewhere.
    { ...read, key: bytes(""), value: bytes("kv") },
    { ...read, headers: { ...headers, own: bytes("y") } },
    { ...read, headers: { ...headers, more: bytes("") } },
    { ...read, headers: { ...headers, own: [bytes("x"), bytes("x")] } },
    { ...read, headers: { ...headers, "ackpool-origin-offset": bytes("18") } },
    { ...read, headers: { ...headers, "ackpool-signature": bytes("v1:") } },
    { ...read, headers: { ...headers, "ackpool-signature": bytes("v2:AAAA") } },
    { ...read, headers: Object.fromEntries(Object.entries(headers).slice(1)) },
  ];
  assert.equal(ours.isOurs(read), true);
  assert.deepEqual(others.map((other) => ours.isOurs(other)), others.map(() => false));
});

Deno.test("Signatures take any of several secrets, and sign with the first", () => {
  const [before, both, after] = [[OLD], [SECRET, OLD], [SECRET]].map((secrets) => new Signatures(secrets));
  assert.ok(before && both && after);
  assert.equal(both.isOurs(stored(before.sign(LETTER))), true);
  assert.equal(after.isOurs(stored(both.sign(LETTER))), true);
  assert.equal(before.isOurs(stored(both.sign(LETTER))), false);
});

Deno.test("a mark is good for its own partition only", () => {
  const ours = new Signatures([SECRET]);
  const read = stored(ours.sign(MARK));
  assert.equal(ours.isOurs(read), true);
  assert.equal(ours.isOurs({ ...read, partition: 1 }), false);
});

Deno.test("Signatures.check() takes every meaning from what nobody signed, and tells it", () => {
  const ours = new Signatures([SECRET]);
  const mark = ours.check(stored(MARK));
  assert.equal(readMark(mark), undefined);
  const letter = toDeadLetter(ours.check(stored(LETTER)));
  assert.deepEqual([letter.origin, letter.replays, letter.cause], [undefined, 0, {
    reason: "unsigned",
    status: "",
    problem: "",
  }]);
  assert.deepEqual(ours.notes(), [
    "unsigned: t.g.dlq has records that no secret proves; their ackpool-* headers count for nothing",
  ]);
  const signed = stored(ours.sign(LETTER));
  assert.equal(ours.check(signed), signed);
});

Deno.test("without a secret, and where an operator vouches, records are taken as they are", () => {
  for (const trusting of [unsigned, new Signatures([SECRET], true)]) {
    const read = stored(MARK);
    assert.equal(trusting.check(read), read);
    assert.deepEqual(trusting.notes(), []);
  }
  assert.equal(unsigned.sign(LETTER), LETTER);
});

Deno.test("Signatures.requireSecret() stops whoever would follow up signed records without signing", () => {
  const without = new Signatures([]);
  without.check(stored(LETTER));
  without.requireSecret();
  without.check(stored(new Signatures([SECRET]).sign(LETTER)));
  assert.throws(() => without.requireSecret(), SecretMissing);
});
