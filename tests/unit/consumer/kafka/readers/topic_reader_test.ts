// What a reader asks brokers for and makes of their answers; tests/real has it read on real Kafka.

import assert from "node:assert/strict";
import type { Kafka } from "kafkajs";
import { TopicReader } from "../../../../../consumer/kafka/readers/topic_reader.ts";

const OFFSET_OUT_OF_RANGE = 1;
const NOT_LEADER = 6;
const FORBIDDEN = 29;

interface Question {
  readonly partition: number;
  readonly fetchOffset: string;
}

type Answer = { readonly offsets: readonly number[] } | { readonly errorCode: number };

/** A broker that answers as the test says; `first` is the first offset that is still there. */
function readerOf(answer: (question: Question) => Answer, first = 0) {
  const asked: Question[] = [];
  const broker = {
    fetch({ topics: [{ topic, partitions: [question] }] }: {
      topics: [{ topic: string; partitions: [Question] }];
    }) {
      asked.push({ partition: question.partition, fetchOffset: question.fetchOffset });
      const said = answer(question);
      const messages = "offsets" in said
        ? said.offsets.map((offset) => ({
          offset: String(offset),
          key: null,
          value: null,
          headers: {},
          timestamp: "0",
        }))
        : [];
      const errorCode = "errorCode" in said ? said.errorCode : 0;
      const partition = { partition: question.partition, errorCode, highWatermark: "10", messages };
      return Promise.resolve({ responses: [{ topicName: topic, partitions: [partition] }] });
    },
  };
  const cluster = {
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    addTargetTopic: () => Promise.resolve(),
    refreshMetadata: () => Promise.resolve(),
    findLeaderForPartitions: (_: string, [partition]: [number]) => ({ "1": [partition] }),
    findBroker: () => Promise.resolve(broker),
    fetchTopicsOffset: () => Promise.resolve([{ partitions: [{ offset: String(first) }] }]),
  };
  const consumer = (
    { partitionAssigners: [assigner] }: { partitionAssigners: [(made: unknown) => unknown] },
  ) => assigner({ cluster, groupId: "g", logger: {} });
  return { reader: new TopicReader({ consumer } as unknown as Kafka), asked };
}

async function offsetsOf(reader: TopicReader, from: number, to: number): Promise<readonly number[]> {
  const offsets: number[] = [];
  const range = { topic: "t", partition: 0, from, to };
  await reader.read([range], (records) => void offsets.push(...records.map(({ offset }) => offset)));
  await reader.close();
  return offsets;
}

Deno.test("TopicReader.read() reads a range and nothing of what is before or behind it", async () => {
  const { reader, asked } = readerOf(({ fetchOffset }) => ({
    offsets: fetchOffset === "3" ? [1, 2, 3, 4] : [5, 6, 7, 8],
  }));
  assert.deepEqual(await offsetsOf(reader, 3, 7), [3, 4, 5, 6]);
  assert.deepEqual(asked.map(({ fetchOffset }) => fetchOffset), ["3", "5"]);
});

Deno.test("TopicReader.read() ends where nothing is left: what Kafka has compacted is no record", async () => {
  const { reader } = readerOf(({ fetchOffset }) => ({ offsets: Number(fetchOffset) < 4 ? [2, 3] : [] }));
  assert.deepEqual(await offsetsOf(reader, 0, 10), [2, 3]);
});

Deno.test("TopicReader.read() goes on behind what was deleted meanwhile", async () => {
  const { reader } = readerOf(
    ({ fetchOffset }) => fetchOffset === "0" ? { errorCode: OFFSET_OUT_OF_RANGE } : { offsets: [8, 9] },
    8,
  );
  assert.deepEqual(await offsetsOf(reader, 0, 10), [8, 9]);
});

Deno.test("TopicReader.read() asks again where another broker leads now, and not where it is refused", async () => {
  let questions = 0;
  const moved = readerOf(() => ++questions === 1 ? { errorCode: NOT_LEADER } : { offsets: [0, 1] });
  assert.deepEqual(await offsetsOf(moved.reader, 0, 2), [0, 1]);
  const { reader, asked } = readerOf(() => ({ errorCode: FORBIDDEN }));
  await assert.rejects(offsetsOf(reader, 0, 2), { type: "TOPIC_AUTHORIZATION_FAILED" });
  assert.equal(asked.length, 1);
  await reader.close();
});

Deno.test("TopicReader.read() takes partitions in turn, and ends with the reason of its signal", async () => {
  const { reader, asked } = readerOf(({ fetchOffset }) => ({ offsets: [Number(fetchOffset)] }));
  const ranges = [0, 1].map((partition) => ({ topic: "t", partition, from: 0, to: 9 }));
  const enough = new AbortController();
  const reading = reader.read(ranges, ([{ partition, offset } = { partition: 0, offset: 0 }]) => {
    if (partition === 1 && offset === 1) enough.abort(new Error("enough"));
  }, enough.signal);
  await assert.rejects(reading, { message: "enough" });
  assert.deepEqual(asked.map(({ partition }) => partition), [0, 1, 0, 1]);
  await reader.close();
});
