import assert from "node:assert/strict";
import { showAsJson } from "../../../../consumer/dead_letters/json.ts";
import { toDeadLetter } from "../../../../consumer/dead_letters/letter.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";

const record = (timestampMs: number, headers: KafkaRecord["headers"]): KafkaRecord => ({
  topic: "t.g.dlq",
  partition: 0,
  offset: 7,
  timestampMs,
  key: null,
  value: null,
  headers,
});

Deno.test("showAsJson() gives no time where a record has none, and no date of 1969", () => {
  const headers = {
    "ackpool-origin-topic": "t",
    "ackpool-origin-partition": "0",
    "ackpool-origin-offset": "3",
    "ackpool-origin-timestamp": "-1",
  };
  const bare = record(-1, headers);
  const { origin, dead_lettered_at: at } = showAsJson(
    bare,
    { letter: toDeadLetter(bare), state: "new" } as never,
  );
  assert.deepEqual([origin?.at, origin?.time, at], ["t/0/3", "", ""]);
});
