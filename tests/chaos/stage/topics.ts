// Topics of a campaign: made with as many partitions as it says, and led before anybody uses them.

import { Kafka, logLevel } from "kafkajs";
import { until } from "../../support/until.ts";

const LED_WITHIN_MS = 60_000;

/** Makes a topic and waits until brokers lead all its partitions. */
export async function makeTopic(brokers: string, topic: string, numPartitions: number): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions }] });
    await until(`leaders of ${topic}`, async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]?.partitions ?? [];
      return partitions.length === numPartitions && partitions.every(({ leader }) => leader >= 0);
    }, { timeoutMs: LED_WITHIN_MS });
  });
}

/** Deletes those of the topics that there are. */
export async function deleteTopics(brokers: string, topics: readonly string[]): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    const existing = await admin.listTopics();
    await admin.deleteTopics({ topics: topics.filter((topic) => existing.includes(topic)) });
  });
}

/** A client for each question: kafkajs never forgets a topic that is gone. */
async function withAdmin(
  brokers: string,
  act: (admin: ReturnType<Kafka["admin"]>) => Promise<void>,
): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await act(admin);
  } finally {
    await admin.disconnect();
  }
}
