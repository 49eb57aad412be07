// Kafka for a test: the real broker that KAFKA_BROKERS_TEST names, or else the embedded one; one topic for each test.

import { type Admin, Kafka, logLevel, type Message } from "kafkajs";
import { patchRequestQueue } from "../../../consumer/kafka/kafkajs_patches/request_queue.ts";
import { patchTopicMetadata } from "../../../consumer/kafka/kafkajs_patches/topic_metadata.ts";
import { BatchSender } from "../../../consumer/kafka/producers/batch_sender.ts";
import { createTopicsByAsking } from "../../../local/embedded/kafka/create_topics.ts";
import { EMBEDDED_PARTITIONS } from "../../../local/embedded/kafka/launch.ts";
import { embeddedKafka } from "./embedded_kafka.ts";
import { until } from "../until.ts";

/** A record as it was read back. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a group committed on a partition. */
export interface CommittedAt {
  readonly offset: number;
  readonly metadata: string | null;
}

/** Partitions of every topic made here: what the embedded broker gives. */
export const PARTITIONS = EMBEDDED_PARTITIONS;

// Otherwise one topic that is just being made, or gone, fails every question about the others.
patchTopicMetadata();
// Otherwise each connection has a timer in the past, and the runtime warns of it.
patchRequestQueue();

/** A client of one broker. `await using` disconnects it and ends an embedded broker. */
export class TestKafka implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #client: Kafka;
  readonly #admin: Admin;
  readonly #producer: BatchSender;

  private constructor(readonly brokers: string, readonly real: boolean) {
    this.#client = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING });
    this.#admin = this.#client.admin();
    this.#producer = new BatchSender(this.#client, { allowAutoTopicCreation: false });
  }

  static async start(): Promise<TestKafka> {
    const given = Deno.env.get("KAFKA_BROKERS_TEST");
    if (given !== undefined) return await new TestKafka(given, true).#connect();
    const embedded = await embeddedKafka([]);
    const kafka = new TestKafka(embedded.brokers, false);
    kafka.#stack.use(embedded);
    return await kafka.#connect();
  }

  /** Another client of a broker that somebody else ends. */
  static async connect(brokers: string): Promise<TestKafka> {
    return await new TestKafka(brokers, true).#connect();
  }

  /** Makes topics of these names. */
  async make(...topics: readonly string[]): Promise<void> {
    if (!this.real) await createTopicsByAsking(this.#client, topics);
    else {
      const made = topics.map((topic) => ({ topic, numPartitions: PARTITIONS }));
      await this.#admin.createTopics({ topics: made, waitForLeaders: false });
    }
    // Only a partition's leader knows its offsets; a producer that came before would send some records twice.
    for (const topic of topics) {
      const hasLeaders = () => this.ends(topic).then(({ size }) => size === PARTITIONS, () => false);
      await until(`leaders of ${topic}`, hasLeaders);
    }
  }

  /** Records in, in order a partition. */
  async produce(topic: string, messages: readonly Message[]): Promise<void> {
    for (let at = 0; at < messages.length; at += 2000) {
      await this.#producer.send(topic, messages.slice(at, at + 2000));
    }
  }

  /** The offset after the last record, a partition. */
  async ends(topic: string): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.#admin.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  }

  /** What a group has committed, a partition; -1 where it has not yet. */
  async committed(topic: string, groupId: string): Promise<ReadonlyMap<number, CommittedAt>> {
    const [found] = await this.#admin.fetchOffsets({ groupId, topics: [topic] });
    return new Map(
      found?.partitions.map(({ partition, offset, metadata }) => [
        partition,
        { offset: Number(offset), metadata },
      ]),
    );
  }

  /** Records that a group has not committed. */
  async lag(topic: string, groupId: string): Promise<number> {
    const [ends, committed] = await Promise.all([this.ends(topic), this.committed(topic, groupId)]);
    let lag = 0;
    for (const [partition, end] of ends) lag += end - Math.max(0, committed.get(partition)?.offset ?? 0);
    return lag;
  }

  /** Waits until a group has committed everything. */
  async untilCommitted(topic: string, groupId: string, timeoutMs = 30_000): Promise<void> {
    await until(`lag 0 of ${groupId}`, async () => await this.lag(topic, groupId) === 0, { timeoutMs });
  }

  /** All records of a topic. */
  async read(topic: string): Promise<readonly ReadRecord[]> {
    const ends = await this.ends(topic);
    const expected = [...ends.values()].reduce((sum, end) => sum + end, 0);
    const records: ReadRecord[] = [];
    if (expected === 0) return records;
    const reader = this.#client.consumer({ groupId: `reader-${crypto.randomUUID()}`, maxWaitTimeInMs: 100 });
    await reader.connect();
    try {
      await reader.subscribe({ topics: [topic], fromBeginning: true });
      await reader.run({
        eachMessage: ({ partition, message: { key, value, offset, timestamp, headers } }) => {
          const texts = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
          records.push({ partition, offset, timestamp, key, value, headers: Object.fromEntries(texts) });
          return Promise.resolve();
        },
      });
      await until(`${expected} records of ${topic}`, () => records.length >= expected);
    } finally {
      await reader.disconnect();
    }
    return records;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#admin.disconnect(), this.#producer.close()]);
    await this.#stack[Symbol.asyncDispose]();
  }

  async #connect(): Promise<this> {
    await Promise.all([this.#admin.connect(), this.#producer.connect()]);
    return this;
  }
}
