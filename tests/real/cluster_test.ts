// Consumers on clusters of several brokers, one of which goes away.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { RealCluster } from "../support/kafka/real_cluster.ts";
import { until } from "../support/until.ts";

const client = (brokers: string) => new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING });

Deno.test("RealCluster: of three brokers one is killed and comes back", async () => {
  await using cluster = await RealCluster.start(3);
  const admin = client(cluster.brokers).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "t", numPartitions: 3, replicationFactor: 3 }] });
  const inSync = async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: ["t"] });
    return topics[0]?.partitions.map(({ isr }) => isr.length);
  };
  await until("all replicas to be in sync", async () => (await inSync())?.every((isr) => isr === 3));
  await cluster.node(1).kill();
  await until("two replicas to be left", async () => (await inSync())?.every((isr) => isr === 2));
  await cluster.node(1).restart();
  await until("all replicas to be in sync again", async () => (await inSync())?.every((isr) => isr === 3));
  await admin.disconnect();
});

Deno.test("RealCluster: of two brokers one is killed, and only what lies there is away", async () => {
  await using cluster = await RealCluster.start(2);
  const admin = client(cluster.brokers).admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{
      topic: "t",
      replicaAssignment: [{ partition: 0, replicas: [1] }, { partition: 1, replicas: [2] }],
    }],
  });
  await cluster.node(2).kill();
  const reachable = async (id: number) => {
    const producer = client(cluster.node(1).brokers).producer({ retry: { retries: 1 } });
    await producer.connect();
    const sent = producer.send({ topic: "t", timeout: 1000, messages: [{ partition: id - 1, value: "v" }] });
    return await sent.then(() => true, () => false).finally(() => producer.disconnect());
  };
  assert.equal(await reachable(2), false);
  await cluster.node(2).restart();
  await until("both partitions to be led again", async () => await reachable(1) && await reachable(2));
  await admin.disconnect();
});
