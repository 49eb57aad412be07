// Reads a topic whole, as a reader of committed records sees it: control records and aborted ones do not count.

import { createKafka } from "../../../consumer/kafka/client/client.ts";
import { GroupOffsets } from "../../../consumer/kafka/readers/group_offsets.ts";
import { headerText, type KafkaRecord } from "../../../consumer/records/record.ts";
import { TopicReader } from "../../../consumer/kafka/readers/topic_reader.ts";

/** A record with its value and headers as text. */
export interface TextRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Every record there is now, as text. */
export async function readCommitted(brokers: string, topic: string): Promise<readonly TextRecord[]> {
  return (await readRecords(brokers, topic)).map(toText);
}

/** Every record there is now, byte for byte. */
export async function readRecords(brokers: string, topic: string): Promise<readonly KafkaRecord[]> {
  const kafka = createKafka({
    brokers: brokers.split(","),
    clientId: "ackpool-test",
    tls: undefined,
    sasl: undefined,
  });
  const offsets = new GroupOffsets(kafka);
  const reader = new TopicReader(kafka);
  try {
    const records: KafkaRecord[] = [];
    await reader.read(await offsets.ranges(topic), (read) => void records.push(...read));
    return records;
  } finally {
    await Promise.all([reader.close(), offsets.close()]);
  }
}

function toText({ partition, offset, value, headers }: KafkaRecord): TextRecord {
  const texts = Object.entries(headers).map(([name, each]) => [name, headerText(each) ?? ""]);
  return {
    partition,
    offset,
    value: new TextDecoder().decode(value ?? undefined),
    headers: Object.fromEntries(texts),
  };
}
