// The reader of dead letters on real Kafka: its broker is killed with -9 and comes back while it reads.

import assert from "node:assert/strict";
import { createKafka } from "../../consumer/kafka/client/client.ts";
import { TopicReader } from "../../consumer/kafka/readers/topic_reader.ts";
import { values } from "../support/processes/consumer_process.ts";
import { RealKafka } from "../support/kafka/real_kafka.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";

const RECORDS = 12_000;

Deno.test("TopicReader.read() goes on where it was after its broker was away, each record once and in order", async () => {
  await using broker = await RealKafka.start();
  await using kafka = await TestKafka.connect(broker.brokers);
  const topic = `t-${crypto.randomUUID().slice(0, 8)}`;
  await kafka.make(topic);
  // Large enough that several fetches are needed for each partition.
  const body = "x".repeat(2000);
  for (let from = 0; from < RECORDS; from += 1000) {
    const some = values(RECORDS).slice(from, from + 1000);
    await kafka.produce(topic, some.map((value) => ({ key: value, value: `${value} ${body}` })));
  }
  const ends = await kafka.ends(topic);
  const client = createKafka({
    brokers: [broker.brokers],
    clientId: "ackpool-test",
    tls: undefined,
    sasl: undefined,
  });
  const reader = new TopicReader(client);
  const read = new Map<number, number[]>(Array.from(ends.keys(), (partition) => [partition, []]));
  let count = 0;
  let killed = false;
  try {
    const ranges = Array.from(ends, ([partition, to]) => ({ topic, partition, from: 0, to }));
    await reader.read(ranges, async (records) => {
      for (const { partition, offset } of records) read.get(partition)?.push(offset);
      count += records.length;
      if (killed || count < RECORDS / 3) return;
      killed = true;
      await broker.kill();
      await broker.restart();
    });
  } finally {
    await reader.close();
  }
  assert.ok(killed, "the broker was not away while it read");
  for (const [partition, end] of ends) {
    assert.deepEqual(read.get(partition), Array.from({ length: end }, (_, offset) => offset));
  }
});
