// TopicProgress tells how far a topic goes and how far one group has read it.

import type { Kafka } from "kafkajs";
import { LazyAdmin } from "../../consumer/kafka/client/lazy_admin.ts";

/** Offsets by partition. */
export type Offsets = ReadonlyMap<number, bigint>;

/** One topic as one group sees it. It connects when it is first asked. */
export class TopicProgress {
  readonly #admin: LazyAdmin;
  readonly #topic: string;
  readonly #groupId: string;

  constructor(kafka: Kafka, topic: string, groupId: string) {
    this.#admin = new LazyAdmin(kafka);
    this.#topic = topic;
    this.#groupId = groupId;
  }

  /** The offset after the last record of each partition. */
  async ends(): Promise<Offsets> {
    const admin = await this.#admin.connected();
    const offsets = await admin.fetchTopicOffsets(this.#topic);
    return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
  }

  /** What the group has committed; -1 where it has not committed yet. */
  async committed(): Promise<Offsets> {
    const admin = await this.#admin.connected();
    const [answer] = await admin.fetchOffsets({ groupId: this.#groupId, topics: [this.#topic] });
    return new Map(answer?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }
}
