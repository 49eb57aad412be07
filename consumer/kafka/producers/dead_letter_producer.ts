// DeadLetterProducer: writes dead letters where they are placed, and is done when the broker says so.

import { CompressionTypes, type Kafka, type Message, type PartitionerArgs, type Producer } from "kafkajs";
import { type PlacedRecord, RecordTooLarge } from "../../records/log_access.ts";
import { toKafkaHeaders, toOffset } from "../message.ts";
import { toRecordRefusal } from "./record_refusals.ts";

/** A message that knows the number of its partition. */
interface PlacedMessage extends Message {
  readonly number: number;
}

/** A producer for dead letters. */
export class DeadLetterProducer {
  readonly #producer: Producer;
  #connected: Promise<void> | undefined;

  constructor(kafka: Kafka) {
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      retry: { retries: 3 },
      createPartitioner: () => sameNumber,
    });
  }

  /**
   * Resolves when all in-sync replicas have the dead letter, with its offset where the broker tells; rejects otherwise.
   * Compressed only where it is too large else: what does not compress would grow.
   *
   * @throws {RecordTooLarge}
   * @throws {RecordRefused}
   */
  async write(
    { topic, partition, key, value, headers }: PlacedRecord,
  ): Promise<{ readonly offset: number | undefined }> {
    this.#connected ??= this.#producer.connect().catch((error) => {
      this.#connected = undefined;
      throw error;
    });
    await this.#connected;
    const message: PlacedMessage = {
      key: key as Buffer | null,
      value: value as Buffer | null,
      headers: toKafkaHeaders(headers),
      number: partition,
      // Its own timestamp, not the origin's: Kafka keeps it for as long as any record written now.
    };
    return await this.#send(topic, message, CompressionTypes.None).catch((error) => {
      if (!(error instanceof RecordTooLarge)) throw error;
      return this.#send(topic, message, CompressionTypes.GZIP);
    });
  }

  async #send(topic: string, message: PlacedMessage, compression: CompressionTypes) {
    try {
      const [written] = await this.#producer.send({ topic, acks: -1, compression, messages: [message] });
      return { offset: written?.baseOffset === undefined ? undefined : toOffset(written.baseOffset) };
    } catch (error) {
      throw toRecordRefusal(error, topic);
    }
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    if (this.#connected !== undefined) await this.#producer.disconnect();
  }
}

/** The partition of that number; where there are fewer, the rest of the division. */
function sameNumber({ partitionMetadata, message }: PartitionerArgs): number {
  return (message as PlacedMessage).number % Math.max(1, partitionMetadata.length);
}
