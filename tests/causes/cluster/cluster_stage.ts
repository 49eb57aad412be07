// ClusterStage: a consumer on two real brokers, either of which can be killed; its dead letters lie on the second alone.

import { Kafka, logLevel } from "kafkajs";
import type { WhyJson } from "../../../consumer/core/why/why.ts";
import { RealCluster } from "../../support/kafka/real_cluster.ts";
import { TestKafka } from "../../support/kafka/test_kafka.ts";
import { type ConsumerProcess, startConsumer } from "../../support/processes/consumer_process.ts";
import { StubWorker } from "../../support/workers/stub_worker.ts";
import type { Watched } from "../trouble.ts";

const [TOPIC, GROUP] = ["tickets", "g"];
const LETTERS = `${TOPIC}.${GROUP}.dlq`;

/** What the worker refuses for good. */
export const BAD = "bad";

/** Everything that a broker's trouble may be planted in. `await using` ends it. */
export class ClusterStage implements Watched {
  private constructor(
    readonly cluster: RealCluster,
    readonly scene: Watched["scene"],
    readonly consumer: ConsumerProcess,
    private readonly stack: AsyncDisposableStack,
  ) {}

  static async open(): Promise<ClusterStage> {
    await using stack = new AsyncDisposableStack();
    const cluster = stack.use(await RealCluster.start(2));
    await makeTopics(cluster.brokers);
    const kafka = stack.use(await TestKafka.connect(cluster.brokers));
    const worker = stack.use(new StubWorker(({ text }) => text === BAD ? 422 : 200));
    const consumer = stack.use(startConsumer({
      KAFKA_BROKERS: cluster.brokers,
      KAFKA_TOPIC: TOPIC,
      KAFKA_GROUP_ID: GROUP,
      KAFKA_SESSION_TIMEOUT_MS: "10000",
      WORKER_URL: worker.url,
    }));
    await consumer.untilReady(60_000);
    return new ClusterStage(cluster, { topic: TOPIC, groupId: GROUP, kafka }, consumer, stack.move());
  }

  async why(): Promise<WhyJson> {
    return await (await fetch(`${this.consumer.adminUrl}/why`)).json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack[Symbol.asyncDispose]();
  }
}

/** The source on the first broker, its dead letters on the second. */
async function makeTopics(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const on = (topic: string, broker: number) => ({
    topic,
    replicaAssignment: [0, 1].map((partition) => ({ partition, replicas: [broker] })),
  });
  await admin.createTopics({ topics: [on(TOPIC, 1), on(LETTERS, 2), on(`${TOPIC}.${GROUP}.retry`, 1)] });
  await admin.disconnect();
}
