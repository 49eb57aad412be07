// Which records are believed when they say what they are a replay of.

import assert from "node:assert/strict";
import type { Event } from "../../../../consumer/core/events.ts";
import { withOrigins } from "../../../../consumer/dead_letters/replay_origins.ts";
import { Signatures } from "../../../../consumer/dead_letters/signatures.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";

const NAMES = { groupId: "g", deadLetterTopic: undefined, retryTopic: undefined };
const REPLAY = {
  "ackpool-origin-topic": "t",
  "ackpool-origin-partition": "1",
  "ackpool-origin-offset": "4",
  "ackpool-origin-timestamp": "1700000000000",
  "ackpool-replayed-from": "t.g.dlq/1/12",
};
const ORIGIN = { topic: "t", partition: 1, offset: 4, timestampMs: 1_700_000_000_000, letter: 12 };

function originOf(
  topic: string,
  headers: KafkaRecord["headers"] = REPLAY,
  names: typeof NAMES = NAMES,
  signatures = new Signatures([]),
) {
  const record = { topic, partition: 1, offset: 0, timestampMs: 0, key: null, value: null, headers };
  const event: Event<KafkaRecord> = {
    type: "received",
    epoch: 3,
    from: { topic, partition: 1 },
    records: [{ offset: 0, timestampMs: 0, bytes: 1, key: "k", record }],
    position: 1,
    highWatermark: 1,
  };
  const told = withOrigins(event, names, signatures);
  return told.type === "received" ? told.records[0]?.origin : undefined;
}

Deno.test("withOrigins() says of a record of the retry topic what it is a replay of", () => {
  assert.deepEqual(originOf("t.g.retry"), ORIGIN);
  assert.deepEqual(originOf("t.g.retry", { ...REPLAY, "ackpool-origin-timestamp": "-1" })?.timestampMs, -1);
  const configured = { ...NAMES, retryTopic: "again" } as unknown as typeof NAMES;
  assert.deepEqual(originOf("again", REPLAY, configured), ORIGIN);
});

Deno.test("withOrigins() believes the headers of no other topic, nor those that cannot be right", () => {
  const topics = ["t", "t.g.dlq", "t.other.retry", "x.g.retry"];
  assert.deepEqual(topics.map((topic) => originOf(topic)), topics.map(() => undefined));
  const wrong = [
    { ...REPLAY, "ackpool-origin-topic": "../t" },
    { ...REPLAY, "ackpool-origin-topic": 't"\r\nx: y' },
    { ...REPLAY, "ackpool-origin-offset": "-3" },
    { ...REPLAY, "ackpool-origin-partition": "" },
    { ...REPLAY, "ackpool-origin-timestamp": "soon" },
  ];
  assert.deepEqual(wrong.map((headers) => originOf("t.g.retry", headers)), wrong.map(() => undefined));
});

Deno.test("withOrigins() believes nothing that a secret does not prove, where there is one", () => {
  const signatures = new Signatures(["a secret of the group"]);
  assert.equal(originOf("t.g.retry", REPLAY, NAMES, signatures), undefined);
  const replay = { topic: "t.g.retry", partition: 1, key: null, value: null, headers: REPLAY };
  assert.deepEqual(originOf("t.g.retry", signatures.sign(replay).headers, NAMES, signatures), ORIGIN);
});
