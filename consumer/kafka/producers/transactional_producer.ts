// TransactionalProducer sends records to several topics all or none, and fences whoever had its name before.

import {
  CompressionTypes,
  type Kafka,
  Partitioners,
  type Producer,
  type RecordMetadata,
  type Transaction,
} from "kafkajs";
import { type PlacedRecord, ProducerFenced, RecordTooLarge } from "../../records/log_access.ts";
import { within } from "../../../shared/wait.ts";
import { toKafkaHeaders, toOffset } from "../message.ts";
import { toRecordRefusal } from "./record_refusals.ts";
import { partitionId } from "../../records/position.ts";

/** After so long the broker gives a transaction up whose sender is gone, in ms. */
const TRANSACTION_TIMEOUT_MS = 10_000;
const CLOSE_LIMIT_MS = 2000;
/** What brokers say to a sender that another one has taken the place of. */
const FENCED = new Set(["PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH", "INVALID_TRANSACTION_STATE"]);

/** Writes records to several topics in one transaction; a newer producer of the same id fences it. */
export class TransactionalProducer {
  readonly #producer: Producer;

  private constructor(producer: Producer) {
    this.#producer = producer;
  }

  /**
   * Takes the name over: what another sender under it has not finished is undone, and it can finish nothing any more.
   * What is read after this is final.
   */
  static async open(kafka: Kafka, transactionalId: string): Promise<TransactionalProducer> {
    const producer = kafka.producer({
      transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    await (await producer.transaction()).abort();
    return new TransactionalProducer(producer);
  }

  /**
   * Sends all of them in one transaction, and answers with their offsets in the same order.
   *
   * @param more records that follow in the same transaction, and are made of the offsets of the first.
   * @throws {RecordTooLarge} when the records of one partition are more than the topic takes at once.
   * @throws {ProducerFenced} when another sender took over; whatever it throws, either all are there or none.
   */
  async send(
    records: readonly PlacedRecord[],
    more: (offsets: readonly number[]) => readonly PlacedRecord[] = () => [],
  ): Promise<readonly number[]> {
    return await this.#send(records, more, CompressionTypes.None).catch((error) => {
      if (!(error instanceof RecordTooLarge)) throw error;
      return this.#send(records, more, CompressionTypes.GZIP);
    });
  }

  async #send(
    records: readonly PlacedRecord[],
    more: (offsets: readonly number[]) => readonly PlacedRecord[],
    compression: CompressionTypes,
  ): Promise<readonly number[]> {
    try {
      const transaction = await this.#producer.transaction();
      return await sendIn(transaction, records, more, compression);
    } catch (error) {
      if (isFenced(error)) throw new ProducerFenced("Another replay or drop of this group has taken over");
      throw toRecordRefusal(error, records[0]?.topic ?? "The topic");
    }
  }

  async close(): Promise<void> {
    await within(CLOSE_LIMIT_MS, this.#producer.disconnect());
  }
}

async function sendIn(
  transaction: Transaction,
  records: readonly PlacedRecord[],
  more: (offsets: readonly number[]) => readonly PlacedRecord[],
  compression: CompressionTypes,
): Promise<readonly number[]> {
  try {
    const offsets = offsetsOf(records, await sendAll(transaction, records, compression));
    const rest = more(offsets);
    if (rest.length > 0) await sendAll(transaction, rest, compression);
    await transaction.commit();
    return offsets;
  } catch (error) {
    await transaction.abort().catch(() => {});
    throw error;
  }
}

async function sendAll(
  transaction: Transaction,
  records: readonly PlacedRecord[],
  compression: CompressionTypes,
): Promise<readonly RecordMetadata[]> {
  const byTopic = Map.groupBy(records, ({ topic }) => topic);
  const sent = await transaction.sendBatch({
    acks: -1,
    compression,
    topicMessages: Array.from(byTopic, ([topic, placed]) => ({ topic, messages: placed.map(toMessage) })),
  });
  // kafkajs may forget a partition whose leader changed in the middle of a batch, and says that all went well.
  const confirmed = new Set(sent.map(({ topicName: topic, partition }) => partitionId({ topic, partition })));
  const missing = records.filter((record) => !confirmed.has(partitionId(record)));
  if (missing.length > 0) throw new Error(`${missing.length} records were not confirmed`);
  return sent;
}

function toMessage({ partition, key, value, headers }: PlacedRecord) {
  return {
    partition,
    key: key as Buffer | null,
    value: value as Buffer | null,
    headers: toKafkaHeaders(headers),
  };
}

/** Records of one partition follow each other from the base offset the broker gave. */
function offsetsOf(records: readonly PlacedRecord[], sent: readonly RecordMetadata[]): readonly number[] {
  const next = new Map(
    sent.map(({ topicName, partition, baseOffset }) => [
      partitionId({ topic: topicName, partition }),
      toOffset(baseOffset ?? "-1"),
    ]),
  );
  return records.map((record) => {
    const id = partitionId(record);
    const offset = next.get(id) ?? -1;
    next.set(id, offset + 1);
    return offset;
  });
}

function isFenced(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: { type?: string } };
  return FENCED.has(type ?? cause?.type ?? "");
}
