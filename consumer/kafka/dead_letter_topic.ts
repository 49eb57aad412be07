// Writes dead letters: the record as it was, with where it came from and why it is here; done when the broker says so.

import { CompressionTypes, type Kafka, Partitioners, type Producer } from "kafkajs";
import { outcomeLabel } from "../../shared/outcome.ts";
import type { Delivery } from "../core/delivery.ts";
import { headerText, type HeaderValue, type KafkaRecord } from "./record.ts";
import { deadLetterTopicOf, type SideTopicNames, sourceTopicOf } from "./side_topics.ts";

/** Header that counts how often a record was replayed. */
const REPLAYS = "ackpool-replays";

/** A producer for dead letters. */
export class DeadLetterTopic {
  readonly #producer: Producer;
  readonly #names: SideTopicNames;
  #connected: Promise<void> | undefined;

  constructor(kafka: Kafka, names: SideTopicNames) {
    this.#producer = kafka.producer({
      allowAutoTopicCreation: true,
      retry: { retries: 3 },
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    this.#names = names;
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
      topic: this.#topicOf(record),
      acks: -1,
      compression: CompressionTypes.None,
      messages: [{
        key: record.key as Buffer | null,
        value: record.value as Buffer | null,
        headers: { ...record.headers, ...deadLetterHeaders(delivery, nowMs) } as Record<
          string,
          Buffer | string
        >,
        // Its own timestamp, not the origin's: Kafka keeps it for as long as any record written now.
      }],
    });
  }

  #topicOf({ topic, headers }: KafkaRecord): string {
    const { groupId, deadLetterTopic, retryTopic } = this.#names;
    const source = sourceTopicOf(topic, headerText(headers["ackpool-origin-topic"]), groupId, retryTopic);
    return deadLetterTopicOf(source, groupId, deadLetterTopic);
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
