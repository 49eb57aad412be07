// When the canaries are fine: settled as the group's commit says, and none of them back.

import assert from "node:assert/strict";
import { settledBy, watchCanaries } from "../../../../../consumer/dead_letters/replay/canary.ts";
import type { DeadLetterPorts } from "../../../../../consumer/dead_letters/ports.ts";
import { encodeOffsetMap } from "../../../../../consumer/core/offsets/offset_map.ts";
import { Ledger } from "../../../../../consumer/core/offsets/ledger.ts";
import type { KafkaRecord } from "../../../../../consumer/records/record.ts";

const SENT = [{ from: "t.dlq/0/1", topic: "t.retry", partition: 0, offset: 5 }];
const BEFORE = [{ topic: "t.dlq", partition: 0, from: 0, to: 2 }];

/** A Kafka whose commit moves with each look, and whose clock moves with each pause. */
function ports(watermarks: readonly number[], back: readonly KafkaRecord[] = []): DeadLetterPorts {
  let [looks, nowMs] = [0, 0];
  return {
    groupId: "g",
    topics: () => Promise.resolve(["t.dlq"]),
    retryTopicOf: (topic) => `${topic}.retry`,
    offsets: {
      ranges: () => Promise.resolve([{ topic: "t.dlq", partition: 0, from: 0, to: 2 + back.length }]),
      partitions: () => Promise.resolve(1),
      committed: () => {
        const offset = watermarks[Math.min(looks++, watermarks.length - 1)];
        return Promise.resolve([{ partition: 0, offset, metadata: null }]);
      },
    },
    reader: () =>
      Promise.resolve({
        read: async (ranges, visit) => {
          await visit(
            back.filter(({ offset }) => ranges.some(({ from, to }) => from <= offset && offset < to)),
          );
        },
      }),
    openSender: () => Promise.reject(new Error("not here")),
    nowMs: () => nowMs,
    pause: (ms) => {
      nowMs += ms;
      return Promise.resolve();
    },
  };
}

const watch = () => ({ timeoutMs: 5000, signal: new AbortController().signal, settled: () => {} });

Deno.test("watchCanaries() waits until the group has settled all of them", async () => {
  const result = await watchCanaries(ports([3, 5, 6]), SENT, BEFORE, watch());
  assert.deepEqual(result, { end: "settled", sent: 1, settled: 1, cameBack: [], unsettled: [] });
});

Deno.test("watchCanaries() tells of one that came back, though it counts as settled", async () => {
  const back: KafkaRecord = {
    topic: "t.dlq",
    partition: 0,
    offset: 2,
    timestampMs: 0,
    key: null,
    value: null,
    headers: { "ackpool-replayed-from": "t.dlq/0/1", "ackpool-status": "422" },
  };
  const result = await watchCanaries(ports([6], [back]), SENT, BEFORE, watch());
  assert.deepEqual([result.end, result.cameBack], ["came-back", ["422"]]);
});

Deno.test("watchCanaries() gives up after its time", async () => {
  const result = await watchCanaries(ports([3]), SENT, BEFORE, watch());
  const [sent] = SENT;
  const place = `${sent?.topic}/${sent?.partition}/${sent?.offset}`;
  assert.deepEqual([result.end, result.settled, result.unsettled], ["timed-out", 0, [place]]);
});

Deno.test("settledBy() looks below the watermark and into the offset map", () => {
  const ledger = new Ledger<{ attemptsCounted: number }>(10);
  const [, , last] = [10, 11, 12].map((offset) => ledger.receive(offset, { attemptsCounted: 0 }));
  assert.ok(last !== undefined);
  ledger.settle(last);
  const commit = { partition: 0, offset: ledger.committable(), metadata: encodeOffsetMap(ledger) };
  assert.deepEqual([9, 10, 11, 12].map(settledBy(commit)), [true, false, false, true]);
  assert.equal(settledBy({ partition: 0, offset: undefined, metadata: null })(0), false);
});
