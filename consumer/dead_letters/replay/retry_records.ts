// RetryRecords: dead letters as records for the retry topic: value, key and origin as they were, one replay more.

import type { KafkaRecord } from "../../records/record.ts";
import type { PlacedRecord } from "../../records/log_access.ts";
import { type DeadLetter, replayHeaders } from "../letter.ts";
import { partitionId, recordPosition } from "../../records/position.ts";
import type { DeadLetterPorts } from "../ports.ts";

/** Replays have nowhere to go. */
export class RetryTopicMissing extends Error {
  override readonly name = "RetryTopicMissing";
}

/** Places replays; remembers how many partitions the retry topics have. */
export class RetryRecords {
  readonly #ports: DeadLetterPorts;
  readonly #partitions: Map<string, Promise<number>> = new Map();

  constructor(ports: DeadLetterPorts) {
    this.#ports = ports;
  }

  /**
   * Reads some dead letters, and answers with their replays in the same order.
   *
   * @throws {RetryTopicMissing}
   */
  async place(letters: readonly DeadLetter[], signal: AbortSignal): Promise<readonly PlacedRecord[]> {
    const records = await readAll(this.#ports, letters, signal);
    return await Promise.all(records.map((record, at) => this.#place(record, letters[at])));
  }

  async #place(record: KafkaRecord, letter: DeadLetter | undefined): Promise<PlacedRecord> {
    const origin = letter?.origin;
    if (origin === undefined) {
      throw new Error(`Cannot replay ${recordPosition(record)}: it does not say its origin`);
    }
    const topic = this.#ports.retryTopicOf(origin.topic);
    const counting = this.#partitions.get(topic) ?? this.#ports.offsets.partitions(topic);
    this.#partitions.set(topic, counting);
    const partitions = await counting;
    if (partitions === 0) {
      throw new RetryTopicMissing(`There is no topic ${topic}: the consumer makes it when it starts`);
    }
    return {
      topic,
      // Records of one key stay in one partition.
      partition: origin.partition % partitions,
      key: record.key,
      value: record.value,
      headers: replayHeaders(record, letter?.replays ?? 0),
    };
  }
}

/** The records of some dead letters, in their order. */
async function readAll(
  ports: DeadLetterPorts,
  letters: readonly DeadLetter[],
  signal: AbortSignal,
): Promise<readonly KafkaRecord[]> {
  const wanted = new Map(letters.map((letter, at) => [recordPosition(letter), at]));
  const byPartition = Map.groupBy(letters, partitionId);
  const ranges = [...byPartition.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    // Letters come in the order of their origins, which may differ from that of their offsets.
    const offsets = group.map(({ offset }) => offset);
    const [from, to] = [Math.min(...offsets), Math.max(...offsets) + 1];
    return [{ topic: first.topic, partition: first.partition, from, to }];
  });
  const records: (KafkaRecord | undefined)[] = letters.map(() => undefined);
  await (await ports.reader()).read(ranges, (read) => {
    for (const record of read) {
      const at = wanted.get(recordPosition(record));
      if (at !== undefined) records[at] = record;
    }
  }, signal);
  const missing = letters.find((_, at) => records[at] === undefined);
  if (missing !== undefined) {
    throw new Error(`Cannot read ${recordPosition(missing)}: Kafka has deleted it meanwhile`);
  }
  return records as KafkaRecord[];
}
