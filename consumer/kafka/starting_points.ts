// Where reading of a partition starts: what the group committed for it, or where the reset policy says.

import type { Admin, Kafka } from "kafkajs";
import type { Assigned } from "../core/events.ts";
import { partitionId, type TopicPartition } from "../core/partition.ts";
import { toOffset } from "./record.ts";

/** Reads starting points with a connection of its own, made when it is first needed. */
export class StartingPoints {
  readonly #kafka: Kafka;
  readonly #groupId: string;
  readonly #reset: "earliest" | "latest";
  #admin: Admin | undefined;

  /** @param kafka with few retries: it is asked again. */
  constructor(kafka: Kafka, groupId: string, reset: "earliest" | "latest") {
    this.#kafka = kafka;
    this.#groupId = groupId;
    this.#reset = reset;
  }

  /**
   * The starting points of these partitions.
   *
   * @throws whatever the broker said; the next call begins with a fresh connection, which knows new partitions.
   */
  async of(added: readonly TopicPartition[]): Promise<Assigned[]> {
    if (added.length === 0) return [];
    try {
      return await this.#read(await this.#connected(), added);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.disconnect().catch(() => {});
  }

  async #connected(): Promise<Admin> {
    if (this.#admin !== undefined) return this.#admin;
    const admin = this.#kafka.admin();
    await admin.connect();
    return this.#admin = admin;
  }

  async #read(admin: Admin, added: readonly TopicPartition[]): Promise<Assigned[]> {
    const topics = [...new Set(added.map(({ topic }) => topic))];
    const committed = new Map<string, { offset: number; metadata: string | null }>();
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId: this.#groupId, topics })) {
      for (const { partition, offset, metadata } of partitions) {
        committed.set(partitionId({ topic, partition }), { offset: toOffset(offset), metadata });
      }
    }
    const fresh = added.filter((at) => (committed.get(partitionId(at))?.offset ?? -1) < 0);
    const resets = await this.#resetPoints(admin, fresh);
    return added.map((at) => {
      const offset = resets.get(partitionId(at));
      const known = committed.get(partitionId(at));
      if (offset !== undefined) return { ...at, offset, metadata: null };
      if (known === undefined) throw new Error(`Cannot find what was committed for ${partitionId(at)}`);
      return { ...at, ...known };
    });
  }

  async #resetPoints(admin: Admin, fresh: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    const points = new Map<string, number>();
    for (const topic of new Set(fresh.map(({ topic }) => topic))) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        points.set(partitionId({ topic, partition }), toOffset(this.#reset === "earliest" ? low : high));
      }
    }
    const missing = fresh.find((at) => !points.has(partitionId(at)));
    if (missing !== undefined) throw new Error(`Cannot find the offsets of ${partitionId(missing)}`);
    return new Map(fresh.map((at) => [partitionId(at), points.get(partitionId(at)) ?? 0]));
  }
}
