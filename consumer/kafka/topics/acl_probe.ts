// AclProbe finds out which rights we have without using them: it asks about a partition or a member that does not exist.

import { type Broker, type Cluster, CompressionTypes, type Kafka } from "kafkajs";
import { within } from "../../../shared/wait.ts";
import { clusterOf } from "../client/cluster.ts";
import { isForbidden } from "../client/refusals.ts";
import { readTopicIds } from "./topic_ids.ts";
import { failuresOf, type FetchAnswer } from "../kafkajs_patches/group_fetch.ts";

/** No topic has a partition of this number, so nothing is read or written; rights are looked at before that. */
const NO_PARTITION = 2_147_483_647;
const CLOSE_LIMIT_MS = 2000;

/** What is touched of a broker besides its typed interface. */
interface Asked extends Broker {
  heartbeat(member: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
}

/** What is touched of connections. */
interface Connections extends Cluster {
  readonly brokerPool: { findConnectedBroker(): Promise<Asked> };
}

/** A connection for such questions; made when the first is asked. */
export class AclProbe {
  readonly #cluster: Cluster;
  #used = false;

  /** @param kafka a quiet client: the answers it gets look like errors. */
  constructor(kafka: Kafka) {
    this.#cluster = clusterOf(kafka);
  }

  /** Whether we may be a member of a group. `topic`: one that we may see. */
  mayJoin(groupId: string, topic: string): Promise<boolean> {
    const nobody = { groupId, groupGenerationId: 0, memberId: "nobody" };
    return this.#ask(topic, (broker) => broker.heartbeat(nobody));
  }

  /** Whether we may read a topic. */
  mayRead(topic: string): Promise<boolean> {
    const partitions = [{ partition: NO_PARTITION, fetchOffset: "0", maxBytes: 1 }];
    return this.#ask(
      topic,
      async (broker) => {
        const topics = [{ topic, partitions }];
        const answer = await broker.fetch({ maxWaitTime: 1, minBytes: 0, maxBytes: 1, topics });
        for (const { error } of failuresOf(answer as unknown as FetchAnswer)) throw error;
      },
    );
  }

  /** Whether we may write to a topic. */
  mayWrite(topic: string): Promise<boolean> {
    const partitions = [{ partition: NO_PARTITION, messages: [{ value: null }] }];
    const topicData = [{ topic, partitions }];
    return this.#ask(
      topic,
      (broker) => broker.produce({ acks: -1, timeout: 5000, compression: CompressionTypes.None, topicData }),
    );
  }

  /** Ids of topics by name, as far as the brokers tell them. */
  async topicIds(topics: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return await readTopicIds(await this.#broker(), topics);
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    if (this.#used) await within(CLOSE_LIMIT_MS, this.#cluster.disconnect());
  }

  /** Any broker: one that is down is passed over. */
  async #broker(): Promise<Asked> {
    this.#used = true;
    await this.#cluster.connect();
    return await (this.#cluster as Connections).brokerPool.findConnectedBroker();
  }

  /**
   * Only known topics are asked about: what is wrong with others, kafkajs would take for its own affair.
   *
   * @throws what went wrong where a broker could not be asked.
   */
  async #ask(topic: string, question: (broker: Asked) => Promise<unknown>): Promise<boolean> {
    const broker = await this.#broker();
    try {
      await this.#cluster.addTargetTopic(topic);
    } catch (error) {
      if (isForbidden(error)) return false;
      throw error;
    }
    try {
      await question(broker);
    } catch (error) {
      if (isForbidden(error)) return false;
      // That there is no such partition or member, it says only to those who may know.
      if ((error as KafkaError).type === undefined) throw error;
    }
    return true;
  }
}

/** What brokers say has a type; a connection that ends has none. */
interface KafkaError {
  readonly type?: string;
}
