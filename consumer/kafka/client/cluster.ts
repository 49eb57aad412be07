// clusterOf(): kafkajs's own connections, for questions that its clients do not ask.

import { type Cluster, type Kafka, PartitionAssigners } from "kafkajs";

/** Connections that are not made yet; kafkajs shows them to assigners alone. */
export function clusterOf(kafka: Kafka): Cluster {
  let found: Cluster | undefined;
  kafka.consumer({
    groupId: "unused",
    allowAutoTopicCreation: false,
    partitionAssigners: [(made) => {
      found = made.cluster;
      return PartitionAssigners.roundRobin(made);
    }],
  });
  if (found === undefined) throw new Error("kafkajs made no assigner");
  return found;
}
