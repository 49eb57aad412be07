// Elections of preferred leaders on a real cluster: how brokers hold them by themselves, and when they are over.

import type { Kafka } from "kafkajs";
import { until } from "../../support/until.ts";

const LIMIT_MS = 120_000;

/** Leaders are elected as preferred within seconds of a broker's return. */
export const ELECTING: Readonly<Record<string, string>> = {
  "auto.leader.rebalance.enable": "true",
  "leader.imbalance.check.interval.seconds": "2",
  "leader.imbalance.per.broker.percentage": "0",
};

/** All replicas are in sync, and the first of each partition leads it again. */
export async function ledAsPreferred(
  admin: ReturnType<Kafka["admin"]>,
  topics: readonly string[],
): Promise<void> {
  await until("all partitions to be led as before", async () => {
    const found = await admin.fetchTopicMetadata({ topics: [...topics] });
    return found.topics.every(({ partitions }) =>
      partitions.every(({ isr, leader, replicas }) => isr.length === 3 && leader === replicas[0])
    );
  }, { timeoutMs: LIMIT_MS });
}
