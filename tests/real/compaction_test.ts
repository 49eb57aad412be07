// A compacted topic on real Kafka: what compaction left is delivered, across the gaps in the offsets.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { startConsumer, values } from "../support/processes/consumer_process.ts";
import { readRecords } from "../support/kafka/read_committed.ts";
import { RealKafka } from "../support/kafka/real_kafka.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const LIMIT_MS = 60_000;
const TOPIC_CONFIG = {
  "cleanup.policy": "compact",
  "segment.ms": "100",
  "min.cleanable.dirty.ratio": "0.01",
  "delete.retention.ms": "3600000",
};

Deno.test("the consumer delivers what compaction has left, tombstones too, and comes to lag 0", async () => {
  // A cleaner that looks often, so that a test need not wait for it.
  await using broker = await RealKafka.start({ properties: { "log.cleaner.backoff.ms": "200" } });
  await using kafka = await TestKafka.connect(broker.brokers);
  await makeCompacted(broker.brokers);
  // The last segment is never compacted: the loop writes new ones until only the latest of each key is left.
  for (let round = 0; round < 3; round++) {
    const records = values(40, "k").map((key) => ({ key, value: `${key} ${round}` }));
    await kafka.produce("compacted", [...records, { key: "gone", value: round === 2 ? null : "there" }]);
  }
  await until("compaction", async () => {
    await kafka.produce("compacted", [{ key: "rolls", value: "the segment" }]);
    const [first] = await readRecords(broker.brokers, "compacted");
    return (first?.offset ?? 0) > 80;
  }, { timeoutMs: LIMIT_MS, everyMs: 300 });
  await using worker = new StubWorker();
  await using consumer = startConsumer({
    KAFKA_BROKERS: broker.brokers,
    KAFKA_TOPIC: "compacted",
    KAFKA_GROUP_ID: "g",
    WORKER_URL: worker.url,
  });
  await kafka.untilCommitted("compacted", "g", LIMIT_MS);
  const texts = worker.requests.map(({ text }) => text);
  assert.deepEqual(
    texts.filter((text) => text.startsWith("k")).sort(),
    values(40, "k").map((key) => `${key} 2`).sort(),
  );
  assert.equal(worker.requests.filter(({ headers }) => headers["ackpool-tombstone"] === "true").length, 1);
  assert.equal(await consumer.stop(), 0);
});

async function makeCompacted(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const configEntries = Object.entries(TOPIC_CONFIG).map(([name, value]) => ({ name, value }));
  const topics = [{ topic: "compacted", numPartitions: 1, configEntries }];
  await admin.createTopics({ waitForLeaders: false, topics });
  await until("its leader", async () => (await admin.fetchTopicOffsets("compacted")).length === 1);
  await admin.disconnect();
}
