// createTopicsByAsking() makes topics on a broker that has no controller.

import type { Kafka } from "kafkajs";

/**
 * librdkafka's mock cluster has no controller to make topics; there a topic appears when a client that allows it asks
 * for its metadata, which a subscription does.
 */
export async function createTopicsByAsking(kafka: Kafka, topics: readonly string[]): Promise<void> {
  const asking = kafka.consumer({ groupId: "ackpool-topics", allowAutoTopicCreation: true });
  await asking.connect();
  await asking.subscribe({ topics: [...topics] });
  await asking.disconnect();
}
