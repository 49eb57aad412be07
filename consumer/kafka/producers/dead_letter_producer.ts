// Writes dead letters: the record as it was, with where it came from and why it is here; done when the broker says so.

import { CompressionTypes, type Kafka, type PartitionerArgs, type Producer } from "kafkajs";
import { outcomeLabel } from "../../../shared/contract/outcome.ts";
import type { Delivery } from "../../core/delivery.ts";
import { headerText, type HeaderValue, type KafkaRecord } from "../../records/record.ts";
import { toOffset } from "../message.ts";
import { deadLetterTopicOf, type SideTopicNames, sourceTopicOf } from "../../records/topic_names.ts";

/** Header that counts how often a record was replayed. */
const REPLAYS = "ackpool-replays";

/** A producer for dead letters. */
export class DeadLetterProducer {
  readonly #producer: Producer;
  readonly #names: SideTopicNames;
  #connected: Promise<void> | undefined;

  constructor(kafka: Kafka, names: SideTopicNames) {
    this.#producer = kafka.producer({
      allowAutoTopicCreation: true,
      retry: { retries: 3 },
      createPartitioner: () => sameNumber,
    });
    this.#names = names;
  }

  /**
   * Resolves when all in-sync replicas have the dead letter, with its offset where the broker tells; rejects otherwise.
   * It lies in the partition of its origin's number, so that who has the origin knows where to look.
   */
  async write(
    delivery: Delivery<KafkaRecord>,
    nowMs: number,
  ): Promise<{ readonly offset: number | undefined }> {
    this.#connected ??= this.#producer.connect().catch((error) => {
      this.#connected = undefined;
      throw error;
    });
    await this.#connected;
    const { record } = delivery;
    const source = this.#sourceOf(record);
    const [written] = await this.#producer.send({
      topic: deadLetterTopicOf(source, this.#names.groupId, this.#names.deadLetterTopic),
      acks: -1,
      compression: CompressionTypes.None,
      messages: [{
        key: record.key as Buffer | null,
        value: record.value as Buffer | null,
        headers: { ...record.headers, ...deadLetterHeaders(delivery, source, nowMs) } as Record<
          string,
          Buffer | string
        >,
        // Its own timestamp, not the origin's: Kafka keeps it for as long as any record written now.
      }],
    });
    return { offset: written?.baseOffset === undefined ? undefined : toOffset(written.baseOffset) };
  }

  #sourceOf({ topic, headers }: KafkaRecord): string {
    const { groupId, retryTopic } = this.#names;
    return sourceTopicOf(topic, headerText(headers["ackpool-origin-topic"]), groupId, retryTopic);
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    if (this.#connected !== undefined) await this.#producer.disconnect();
  }
}

/** The partition of the origin's number; where there are fewer, the rest of the division. */
function sameNumber({ partitionMetadata, message }: PartitionerArgs): number {
  const { "ackpool-origin-partition": origin } = message.headers ?? {};
  const number = Number(origin);
  return Number.isSafeInteger(number) ? number % Math.max(1, partitionMetadata.length) : 0;
}

/**
 * What a dead letter says about itself.
 *
 * @param source the topic that the record was read from first.
 */
export function deadLetterHeaders(
  delivery: Delivery<KafkaRecord>,
  source: string,
  nowMs: number,
): Record<string, string> {
  const { record, lastOutcome, attemptsSent, reason, parkedBehind } = delivery;
  const carried = (name: string): string | undefined =>
    headerText((record.headers as Record<string, HeaderValue>)[name]);
  // A record that was replayed keeps the origin it had; on any other such headers prove nothing.
  const kept = (name: string) => source === record.topic ? undefined : carried(name);
  return {
    "ackpool-origin-topic": source,
    "ackpool-origin-partition": kept("ackpool-origin-partition") ?? String(record.partition),
    "ackpool-origin-offset": kept("ackpool-origin-offset") ?? String(record.offset),
    "ackpool-origin-timestamp": kept("ackpool-origin-timestamp") ?? String(record.timestampMs),
    "ackpool-status": reason === "parked"
      ? "parked"
      : lastOutcome === undefined
      ? ""
      : outcomeLabel(lastOutcome),
    "ackpool-reason": reason === "parked" ? `parked behind ${parkedBehind?.place}` : reason ?? "",
    ...(parkedBehind === undefined ? {} : { "ackpool-parked-cause": parkedBehind.cause }),
    "ackpool-problem": lastOutcome === undefined
      ? ""
      : lastOutcome.kind === "answer"
      ? lastOutcome.excerpt ?? ""
      : lastOutcome.detail.slice(0, 1024),
    "ackpool-attempts": String(attemptsSent),
    [REPLAYS]: carried(REPLAYS) ?? "0",
    "ackpool-dead-lettered-at": new Date(nowMs).toISOString(),
  };
}
