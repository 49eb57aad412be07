// TopicProducer puts records into one topic, each batch confirmed by all in-sync replicas.

import type { Kafka } from "kafkajs";
import { BatchSender } from "./batch_sender.ts";

/** A record to be sent. Records with one key share a partition. */
export interface OutgoingRecord {
  readonly key: string | null;
  readonly value: string;
}

/** Sends to one topic. */
export class TopicProducer {
  readonly #sender: BatchSender;
  readonly #topic: string;

  constructor(kafka: Kafka, topic: string) {
    this.#sender = new BatchSender(kafka);
    this.#topic = topic;
  }

  /** Rejects when no broker can be reached. */
  async connect(): Promise<void> {
    await this.#sender.connect();
  }

  /** Resolves when the broker has all of them; rejects otherwise, and then some may be there. */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    await this.#sender.send(this.#topic, records.map(({ key, value }) => ({ key, value })));
  }

  async close(): Promise<void> {
    await this.#sender.close();
  }
}
