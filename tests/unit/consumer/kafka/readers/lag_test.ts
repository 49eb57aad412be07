import assert from "node:assert/strict";
import { readLag } from "../../../../../consumer/kafka/readers/lag.ts";
import type { KafkaRecord } from "../../../../../consumer/records/record.ts";

/** A topic of one partition whose first record that is not committed has this timestamp. */
async function oldestAgeOf(timestampMs: number): Promise<number | null | undefined> {
  const record: KafkaRecord = {
    topic: "t",
    partition: 0,
    offset: 5,
    timestampMs,
    key: null,
    value: null,
    headers: {},
  };
  const [row] = await readLag(
    {
      knownRanges: (topic) => Promise.resolve([{ topic, partition: 0, from: 0, to: 10 }]),
      committed: () => Promise.resolve([{ partition: 0, offset: 5, metadata: null }]),
    },
    { read: async (_ranges, visit) => await visit([record]) },
    { groupId: "g", topics: ["t"], reset: "earliest" },
    1_000_000,
  );
  assert.equal(row?.lag, 5);
  return row?.oldestAgeMs;
}

Deno.test("readLag() tells the age of the oldest record, and none where the record has no timestamp", async () => {
  assert.equal(await oldestAgeOf(400_000), 600_000);
  assert.equal(await oldestAgeOf(2_000_000), 0, "a producer's clock may be ahead");
  assert.equal(await oldestAgeOf(-1), null);
});
