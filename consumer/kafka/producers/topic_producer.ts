// Puts records into a topic, each batch confirmed by all in-sync replicas, and tells how far a group has read it.

import { CompressionTypes, type Kafka, Partitioners, type Producer } from "kafkajs";

/** A record to be sent. Records with one key share a partition. */
export interface OutgoingRecord {
  readonly key: string | null;
  readonly value: string;
}

/** Offsets by partition. */
export type Offsets = ReadonlyMap<number, bigint>;

/** Sends to one topic. */
export class TopicProducer {
  readonly #producer: Producer;
  readonly #topic: string;

  constructor(kafka: Kafka, topic: string) {
    // The Java client's partitioner, so that a key's records stay together whoever sends them.
    this.#producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    this.#topic = topic;
  }

  /** Rejects when no broker can be reached. */
  async connect(): Promise<void> {
    await this.#producer.connect();
  }

  /** Resolves when the broker has all of them; rejects otherwise, and then some may be there. */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    await this.#producer.send({
      topic: this.#topic,
      acks: -1,
      compression: CompressionTypes.None,
      messages: records.map(({ key, value }) => ({ key, value })),
    });
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}

/** Looks at one topic from one group's side. */
export class TopicProgress {
  readonly #admin: ReturnType<Kafka["admin"]>;
  readonly #topic: string;
  readonly #groupId: string;

  constructor(kafka: Kafka, topic: string, groupId: string) {
    this.#admin = kafka.admin();
    this.#topic = topic;
    this.#groupId = groupId;
  }

  async connect(): Promise<void> {
    await this.#admin.connect();
  }

  /** The offset after the last record of each partition. */
  async ends(): Promise<Offsets> {
    const offsets = await this.#admin.fetchTopicOffsets(this.#topic);
    return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
  }

  /** What the group has committed; -1 where it has not committed yet. */
  async committed(): Promise<Offsets> {
    const [answer] = await this.#admin.fetchOffsets({ groupId: this.#groupId, topics: [this.#topic] });
    return new Map(answer?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  async close(): Promise<void> {
    await this.#admin.disconnect();
  }
}

/**
 * Makes topics where the broker has no controller to make them, as librdkafka's mock cluster has none: there a topic
 * appears when a client that allows it asks for its metadata, which a subscription does.
 */
export async function createTopicsByAsking(kafka: Kafka, topics: readonly string[]): Promise<void> {
  const asking = kafka.consumer({ groupId: "ackpool-topics", allowAutoTopicCreation: true });
  await asking.connect();
  await asking.subscribe({ topics: [...topics] });
  await asking.disconnect();
}
