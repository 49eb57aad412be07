// What becomes of a reader after Kafka refused it; tests/real has it read on real Kafka.

import assert from "node:assert/strict";
import type { Consumer, ConsumerRunConfig, EachBatchPayload, Kafka } from "kafkajs";
import { TopicReader } from "../../../../../consumer/kafka/readers/topic_reader.ts";

const RANGE = { topic: "t", partition: 0, from: 0, to: 1 };
const EVENTS = { GROUP_JOIN: "join", CRASH: "crash", END_BATCH_PROCESS: "end" };

/** A consumer that joins at once unless it is refused, and has one record. */
class FakeConsumer {
  readonly events = EVENTS;
  readonly #listeners: Map<string, (event: unknown) => void> = new Map();
  readonly subscribe = () => Promise.resolve();
  readonly seek = () => {};
  readonly pause = () => {};
  readonly disconnect = () => Promise.resolve();
  refused = false;
  joins = 0;
  #run: ConsumerRunConfig | undefined;

  readonly on = (name: string, listener: (event: unknown) => void) => this.#listeners.set(name, listener);

  readonly connect = () => this.refused ? Promise.reject(refusal()) : Promise.resolve();

  readonly run = (config: ConsumerRunConfig): Promise<void> => {
    this.#run = config;
    this.joins += 1;
    this.#listeners.get(EVENTS.GROUP_JOIN)?.({ payload: { memberAssignment: { t: [0] } } });
    return Promise.resolve();
  };

  readonly resume = () => {
    const message = { offset: "0", key: null, value: null, headers: {}, timestamp: "0", attributes: 0 };
    const batch = { topic: "t", partition: 0, messages: [message], lastOffset: () => "0" };
    const payload = { batch, isStale: () => false, resolveOffset: () => {} };
    queueMicrotask(() => void this.#run?.eachBatch?.(payload as unknown as EachBatchPayload));
  };

  crash(): void {
    this.#listeners.get(EVENTS.CRASH)?.({ payload: { error: refusal(), restart: false } });
  }
}

const refusal = () => Object.assign(new Error("Not authorized"), { type: "TOPIC_AUTHORIZATION_FAILED" });

function readerOf(fake: FakeConsumer): TopicReader {
  const consumer = fake as unknown as Consumer;
  return new TopicReader({ consumer: () => consumer } as Pick<Kafka, "consumer"> as Kafka, "g", ["t"]);
}

async function offsetsOf(reader: TopicReader): Promise<readonly number[]> {
  const offsets: number[] = [];
  await reader.read([RANGE], (records) => void offsets.push(...records.map(({ offset }) => offset)));
  return offsets;
}

Deno.test("TopicReader.read() throws what Kafka refused, and begins anew when it is asked again", async () => {
  const fake = new FakeConsumer();
  const reader = readerOf(fake);
  fake.refused = true;
  await assert.rejects(offsetsOf(reader), { message: "Not authorized" });
  await assert.rejects(offsetsOf(reader), { message: "Not authorized" });
  fake.refused = false;
  assert.deepEqual(await offsetsOf(reader), [0]);
  await reader.close();
});

Deno.test("TopicReader.read() joins again where the reader was refused between two reads", async () => {
  const fake = new FakeConsumer();
  const reader = readerOf(fake);
  assert.deepEqual(await offsetsOf(reader), [0]);
  fake.crash();
  assert.deepEqual([await offsetsOf(reader), fake.joins], [[0], 2]);
  await reader.close();
});
