// BatchSender sends records of one topic in batches and makes sure that each of them was confirmed.

import {
  CompressionTypes,
  type Kafka,
  type Message,
  type PartitionerArgs,
  Partitioners,
  type Producer,
} from "kafkajs";

/** How often what was not confirmed is sent again. */
const TRIES_MAX = 5;

/**
 * kafkajs 2.2.4 forgets records: where one of several brokers fails in the middle of a batch and another that has
 * answered already leads its partitions now, it asks nobody again and says that all went well. Here each record keeps
 * the partition that it was given first, and what lies in a partition that nobody confirmed is sent again.
 */
export class BatchSender {
  readonly #producer: Producer;
  readonly #partitions: WeakMap<Message, number> = new WeakMap();

  constructor(kafka: Kafka, options: { readonly allowAutoTopicCreation?: boolean } = {}) {
    this.#producer = kafka.producer({ ...options, createPartitioner: () => this.#partitioner() });
  }

  /** Rejects when no broker can be reached. */
  async connect(): Promise<void> {
    await this.#producer.connect();
  }

  /** Resolves when all in-sync replicas have all of them; rejects otherwise, and then some may be there. */
  async send(topic: string, messages: readonly Message[]): Promise<void> {
    let left = messages.map((message) => ({ ...message }));
    for (let tries = 0; left.length > 0; tries++) {
      if (tries === TRIES_MAX) throw new Error(`${left.length} records were not confirmed`);
      const sent = await this.#producer.send({
        topic,
        acks: -1,
        compression: CompressionTypes.None,
        messages: left,
      });
      const confirmed = new Set(sent.map(({ partition }) => partition));
      left = left.filter((message) => !confirmed.has(this.#partitions.get(message) ?? -1));
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }

  /** The Java client's partitioner, so that a key's records stay together whoever sends them. */
  #partitioner(): (args: PartitionerArgs) => number {
    const choose = Partitioners.DefaultPartitioner();
    return (args) => {
      const partition = this.#partitions.get(args.message) ?? choose(args);
      this.#partitions.set(args.message, partition);
      return partition;
    };
  }
}
