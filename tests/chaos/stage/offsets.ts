// What Kafka knows about a topic and a group: how far the log goes, what is committed, what the offset map covers.

import { type Admin, Kafka, logLevel } from "kafkajs";
import { decodeOffsetMap } from "../../../consumer/core/offsets/offset_map.ts";
import { parseIdempotencyKey } from "../../../shared/contract/protocol.ts";

/** What a group has committed on one partition. */
export interface Committed {
  readonly offset: number;
  /** Offsets settled above it, as the commit's metadata says: first to last inclusive. */
  readonly settled: readonly (readonly [number, number])[];
}

/** A connected kafkajs admin; `await using` disconnects it. */
export class Offsets implements AsyncDisposable {
  private constructor(readonly admin: Admin) {}

  static async connect(brokers: string): Promise<Offsets> {
    const admin = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    return new Offsets(admin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin.disconnect();
  }

  /** Creates a topic and waits for its leaders. */
  async createTopic(topic: string, partitions: number): Promise<void> {
    await this.admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  }

  /** Records in a topic; 0 when it does not exist. */
  async count(topic: string): Promise<number> {
    if (!(await this.admin.listTopics()).includes(topic)) return 0;
    const offsets = await this.admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  }

  /** Records above what the group has committed. */
  async lag(topic: string, groupId: string): Promise<number> {
    const [ends, committed] = await Promise.all([
      this.admin.fetchTopicOffsets(topic),
      this.committed(topic, groupId),
    ]);
    return ends.reduce((sum, end) => sum + Number(end.high) - (committed.get(end.partition)?.offset ?? 0), 0);
  }

  /** What the group has committed, by partition. */
  async committed(topic: string, groupId: string): Promise<Map<number, Committed>> {
    const [found] = await this.admin.fetchOffsets({ groupId, topics: [topic] });
    return new Map((found?.partitions ?? []).map(({ partition, offset, metadata }) => {
      const committed = Math.max(0, Number(offset));
      const decoded = decodeOffsetMap(metadata, committed);
      return [partition, { offset: committed, settled: decoded.kind === "map" ? decoded.map.settled : [] }];
    }));
  }
}

/** Whether the next owner of the partition will skip the record with this `Idempotency-Key`. */
export function isCovered(key: string, committed: ReadonlyMap<number, Committed>): boolean {
  const position = parseIdempotencyKey(key);
  if (position === undefined) throw new Error(`not a record's key: ${key}`);
  const offset = Number(position.offset);
  const { offset: watermark, settled } = committed.get(position.partition) ?? { offset: 0, settled: [] };
  return offset < watermark || settled.some(([first, last]) => first <= offset && offset <= last);
}
