// Writes dead letters: the record as it was, with where it came from and why it is here; done when the broker says so.

import { CompressionTypes, type Kafka, Partitioners, type Producer } from "kafkajs";
import { outcomeLabel } from "../../shared/outcome.ts";
import type { Delivery } from "../core/delivery.ts";
import { headerText, type HeaderValue, type KafkaRecord } from "./record.ts";

/** Header that counts how often a record was replayed. */
const REPLAYS = "ackpool-replays";

/** A producer for dead letters. */
export class DeadLetterTopic {
  readonly #producer: Producer;
  readonly #topicOf: (topic: string) => string;
  #connected: Promise<void> | undefined;

  /** @param topicOf the dead-letter topic of a source topic. */
  constructor(kafka: Kafka, topicOf: (topic: string) => string) {
    this.#producer = kafka.producer({
      allowAutoTopicCreation: true,
      retry: { retries: 3 },
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    this.#topicOf = topicOf;
  }

  /** Resolves when all in-sync replicas have the dead letter; rejects otherwise. */
  async write(delivery: Delivery<KafkaRecord>, nowMs: number): Promise<void> {
    this.#connected ??= this.#producer.connect().catch((error) => {
      this.#connected = undefined;
      throw error;
    });
    await this.#connected;
    const { record } = delivery;
    await this.#producer.send({
      topic: this.#topicOf(record.topic),
      acks: -1,
      compression: CompressionTypes.None,
      messages: [{
        key: record.key as Buffer | null,
        value: record.value as Buffer | null,
        headers: { ...record.headers, ...deadLetterHeaders(delivery, nowMs) } as Record<
          string,
          Buffer | string
        >,
        timestamp: String(record.timestampMs),
      }],
    });
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    if (this.#connected !== undefined) await this.#producer.disconnect();
  }
}

/** What a dead letter says about itself (design.md section 3). */
export function deadLetterHeaders(delivery: Delivery<KafkaRecord>, nowMs: number): Record<string, string> {
  const { record, last, posts, reason } = delivery;
  const carried = (name: string): string | undefined =>
    headerText((record.headers as Record<string, HeaderValue>)[name]);
  return {
    // A record that was replayed keeps the origin it had.
    "ackpool-origin-topic": carried("ackpool-origin-topic") ?? record.topic,
    "ackpool-origin-partition": carried("ackpool-origin-partition") ?? String(record.partition),
    "ackpool-origin-offset": carried("ackpool-origin-offset") ?? String(record.offset),
    "ackpool-origin-timestamp": carried("ackpool-origin-timestamp") ?? String(record.timestampMs),
    "ackpool-status": last === undefined ? "" : outcomeLabel(last),
    "ackpool-reason": reason ?? "",
    "ackpool-problem": last === undefined
      ? ""
      : last.kind === "answer"
      ? last.excerpt ?? ""
      : last.detail.slice(0, 1024),
    "ackpool-attempts": String(posts),
    [REPLAYS]: carried(REPLAYS) ?? "0",
    "ackpool-dead-lettered-at": new Date(nowMs).toISOString(),
  };
}
