// RenewableReader keeps one TopicReader and makes it anew when other topics are to be read.

import type { Kafka } from "kafkajs";
import { TopicReader } from "./topic_reader.ts";

/** A reader knows the topics it began with; this one follows them. `close()` after use; it can be used again then. */
export class RenewableReader {
  readonly #kafka: Kafka;
  readonly #groupId: string;
  #topics = "";
  #reader: TopicReader | undefined;
  #closing: Promise<unknown> = Promise.resolve();

  /** @param groupId begins the names of the throwaway groups. */
  constructor(kafka: Kafka, groupId: string) {
    this.#kafka = kafka;
    this.#groupId = groupId;
  }

  /** The reader of these topics. Topics that do not exist cannot be joined. */
  of(topics: readonly string[]): TopicReader {
    if (this.#topics !== topics.join()) void this.close();
    this.#topics = topics.join();
    return this.#reader ??= new TopicReader(this.#kafka, this.#groupId, topics);
  }

  /** Leaves the throwaway group, as far as that can be done in a few seconds. */
  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#closing = Promise.all([this.#closing, reader?.close()]);
    await this.#closing;
  }
}
