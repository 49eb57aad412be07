// TopicProducer puts records into a topic, each batch confirmed by all in-sync replicas.

import { CompressionTypes, type Kafka, Partitioners, type Producer } from "kafkajs";

/** A record to be sent. Records with one key share a partition. */
export interface OutgoingRecord {
  readonly key: string | null;
  readonly value: string;
}

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
