// AnswerRecords: unpacks the records of a fetch's answer, partition by partition, within bounds for all of it.

import type { Buffer } from "node:buffer";
import Decoder from "kafkajs/src/protocol/decoder.js";
import decodeMessageSet from "kafkajs/src/protocol/messageSet/decoder.js";
import { logger } from "../../../shared/log.ts";
import type { TopicPartition } from "../../records/position.ts";
import type { UnreadRange } from "../../records/unread_range.ts";
import {
  isRecordSet,
  newBudget,
  placeholder,
  type ReadBudget,
  type ReadRecords,
  readRecordSet,
} from "../client/record_set.ts";

const log = logger("kafka");

/** A partition of which a batch cannot be unpacked. */
export interface UnreadAt extends UnreadRange {
  /** The offset after the partition's last record. */
  readonly highWatermark: number;
}

/** One partition of an answer whose records are bytes. */
interface Packed {
  readonly partition: number;
  readonly highWatermark: string;
  /** Undefined where the messages are read already. */
  readonly recordSet?: Buffer | null;
  readonly messages: readonly unknown[];
}

/** An answer, as kafkajs has it. */
interface Answer {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly unknown[];
  }[];
}

/**
 * The answer with its messages, and the batches that cannot be unpacked. A batch is told of when nothing is before it,
 * so that what was sent first is delivered first.
 *
 * @param offsetOf what was asked for.
 */
export async function readAnswer<A extends Answer>(
  answer: A,
  offsetOf: (at: TopicPartition) => number,
): Promise<{ readonly answer: A; readonly unread: readonly UnreadAt[] }> {
  const budget = newBudget();
  const unread: UnreadAt[] = [];
  const responses: Answer["responses"][number][] = [];
  for (const { topicName: topic, partitions } of answer.responses) {
    const read: unknown[] = [];
    for (const packed of partitions as readonly Packed[]) {
      const at = { topic, partition: packed.partition };
      const found = await readPartition(packed, offsetOf(at), budget);
      if (found.unread !== undefined && found.records.length === 0) {
        unread.push({ ...at, ...found.unread, highWatermark: Number(packed.highWatermark) });
      }
      read.push({ ...packed, recordSet: undefined, messages: found.records });
    }
    responses.push({ topicName: topic, partitions: read });
  }
  return { answer: { ...answer, responses }, unread };
}

/** Readers that nobody asks about such a batch pass it over, and the log says so. */
export function passOver<A extends Answer>(answer: A, unread: readonly UnreadAt[]): A {
  for (const { topic, partition, from, to, records, why } of unread) {
    log.warn("record batch passed over", { topic, partition, from, to, records, why });
  }
  const responses = answer.responses.map(({ topicName, partitions }) => ({
    topicName,
    partitions: (partitions as readonly Packed[]).map((each) => {
      const batch = unread.find(({ topic, partition }) =>
        topic === topicName && partition === each.partition
      );
      return batch === undefined ? each : { ...each, messages: [placeholder(batch.to, batch.timestampMs)] };
    }),
  }));
  return { ...answer, responses };
}

async function readPartition(
  { recordSet, messages }: Packed,
  fetchOffset: number,
  budget: ReadBudget,
): Promise<Omit<ReadRecords, "records"> & { readonly records: readonly unknown[] }> {
  if (recordSet === undefined) return { records: messages, unread: undefined };
  if (recordSet === null || recordSet.length === 0) return { records: [], unread: undefined };
  if (isRecordSet(recordSet)) return await readRecordSet(recordSet, fetchOffset, budget);
  const decoder = new (Decoder as unknown as new (bytes: Buffer) => unknown)(recordSet);
  const decode = decodeMessageSet as unknown as (
    decoder: unknown,
    size: number,
  ) => Promise<readonly unknown[]>;
  return { records: await decode(decoder, recordSet.length), unread: undefined };
}
