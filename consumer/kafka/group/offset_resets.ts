// OffsetResets reports where reading goes on when it cannot go on at the group's offset: from where, to where, and why.

import { logger } from "../../../shared/log.ts";
import { partitionId, type TopicPartition } from "../../records/position.ts";
import type { LogEnds, Start } from "./starting_offsets.ts";

const log = logger("kafka");

/**
 * Reports that reading jumped, with the offset expected and the offset found.
 * It remembers the committed offsets, for Kafka does not say what it has lost.
 */
export class OffsetResets {
  readonly #onReset: (at: TopicPartition) => void;
  readonly #committed: Map<string, number> = new Map();

  /** @param onReset hears of every reset of a place that was known. */
  constructor(onReset: (at: TopicPartition) => void) {
    this.#onReset = onReset;
  }

  /** The broker has confirmed this offset. */
  committed(at: TopicPartition, offset: number): void {
    this.#committed.set(partitionId(at), offset);
  }

  /** Partitions begin here; those without an offset where the policy says. */
  started(starts: readonly Start[]): void {
    const fresh: Start[] = [];
    for (const start of starts) {
      const from = this.#committed.get(partitionId(start));
      if (!start.reset) this.committed(start, start.offset);
      else if (from === undefined) fresh.push(start);
      else this.#lost(start, from);
    }
    for (const [topic, some] of Map.groupBy(fresh, (start) => start.topic)) {
      log.info("no committed offset", { topic, starts: some.map(describe).join(" ") });
    }
  }

  /** The broker does not have the offset that comes next. */
  outOfRange({ topic, partition }: TopicPartition, from: number, to: number, { low, high }: LogEnds): void {
    this.#onReset({ topic, partition });
    const why = from < low
      ? "Kafka has deleted the records from there to the first one it has"
      : "the topic was made anew, or its end is lost";
    log.warn("offset out of range", { topic, partition, from, to, low, high, why, remedy: REMEDY });
  }

  /** The topic is another one now. */
  recreated({ topic, partition }: TopicPartition, from: number, to: number): void {
    this.#onReset({ topic, partition });
    this.#committed.delete(partitionId({ topic, partition }));
    const why = "the topic was deleted and made anew";
    log.warn("topic made anew", { topic, partition, from, to, why, remedy: REMEDY });
  }

  #lost({ topic, partition, offset: to }: Start, from: number): void {
    this.#onReset({ topic, partition });
    this.#committed.delete(partitionId({ topic, partition }));
    const why = "the group's offset is gone: the group was deleted, or the topic made anew";
    log.warn("committed offset lost", { topic, partition, from, to, why, remedy: REMEDY });
  }
}

const REMEDY = "It goes on by itself, where KAFKA_AUTO_OFFSET_RESET says.";

const describe = ({ partition, offset }: Start) => `${partition}@${offset}`;
