// Where reading starts, as far as no broker has to be asked.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { StartingOffsets } from "../../../../../consumer/kafka/group/starting_offsets.ts";

const ENDS = { low: 10, high: 90 };

/** Starting points of a group that began when topic `t` had two partitions. */
function points(reset: "earliest" | "latest"): StartingOffsets {
  return new StartingOffsets(new Kafka({ brokers: ["127.0.0.1:1"], logLevel: logLevel.NOTHING }), {
    groupId: "g",
    reset,
    topics: [
      { topic: "t", partitions: 2, replays: false },
      { topic: "t.g.retry", partitions: 2, replays: true },
    ],
  });
}

Deno.test("StartingOffsets.resetOffset() is the beginning or the end, as the policy says", () => {
  assert.equal(points("earliest").resetOffset({ topic: "t", partition: 1 }, ENDS), 10);
  assert.equal(points("latest").resetOffset({ topic: "t", partition: 1 }, ENDS), 90);
});

Deno.test("StartingOffsets.resetOffset() is the beginning of what came later, and of replays, whatever the policy", () => {
  const latest = points("latest");
  for (
    const at of [{ topic: "t", partition: 2 }, { topic: "new", partition: 0 }, {
      topic: "t.g.retry",
      partition: 0,
    }]
  ) {
    assert.equal(latest.resetOffset(at, ENDS), 10, JSON.stringify(at));
  }
});
