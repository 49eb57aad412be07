// DeadLetterOperations: list, show, replay and drop on a real Kafka, for the command line and the admin port.

import { monotonicMs } from "../shared/clock.ts";
import type { Kafka } from "kafkajs";
import type { ConsumerConfig } from "./config.ts";
import { drop, type DropRequest, type DropSummary } from "./dead_letters/drop.ts";
import { list, type Listing, type ListRequest } from "./dead_letters/list.ts";
import type { DeadLetterPorts } from "./dead_letters/ports.ts";
import { replay } from "./dead_letters/replay/replay.ts";
import type { ReplayProgress, ReplayRequest, ReplaySummary } from "./dead_letters/replay/request.ts";
import { findOne } from "./dead_letters/scan.ts";
import type { Signatures } from "./dead_letters/signatures.ts";
import { checkingReader, signingSender } from "./dead_letters/signed_ports.ts";
import { GroupOffsets } from "./kafka/readers/group_offsets.ts";
import { pause } from "../shared/wait.ts";
import { retryTopicOf, sidesOf } from "./records/topic_names.ts";
import { deadLetterTopics } from "./kafka/topics/topic_selection.ts";
import { TopicReader } from "./kafka/readers/topic_reader.ts";
import { TransactionalProducer } from "./kafka/producers/transactional_producer.ts";
import type { RecordPosition } from "./records/position.ts";

/** Where dead letters are. */
export type DeadLetterConfig = Pick<ConsumerConfig, "deadLetterTopic" | "retryTopic"> & {
  readonly source: Pick<ConsumerConfig["source"], "topics" | "groupId">;
};

/** After so long without a question the reader ends its connections, in ms. */
const READER_IDLE_MS = 60_000;

/**
 * List, show, replay and drop; `close()` after use. It connects when it is first asked. All throw {@link SecretMissing}
 * where dead letters are signed and there is no secret.
 */
export class DeadLetterOperations {
  readonly #kafka: Kafka;
  readonly #config: DeadLetterConfig;
  readonly #signatures: Signatures;
  readonly #offsets: GroupOffsets;
  readonly #reader: TopicReader;
  readonly #ports: DeadLetterPorts;
  /** As the last question found them. */
  #topics: Promise<readonly string[]> | undefined;
  #asking = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(kafka: Kafka, config: DeadLetterConfig, signatures: Signatures) {
    this.#kafka = kafka;
    this.#config = config;
    this.#signatures = signatures;
    this.#offsets = new GroupOffsets(kafka);
    const { groupId } = config.source;
    this.#reader = new TopicReader(kafka);
    this.#ports = {
      groupId,
      topics: () => this.topics(),
      retryTopicOf: (topic) => retryTopicOf(topic, groupId, config.retryTopic),
      offsets: this.#offsets,
      reader: () => Promise.resolve(checkingReader(this.#reader, signatures)),
      openSender: async () => {
        const sender = await TransactionalProducer.open(this.#kafka, `${groupId}.dead-letters`);
        return signingSender(sender, signatures);
      },
      nowMs: monotonicMs,
      pause,
    };
  }

  /** The dead-letter topics there are. */
  async topics(): Promise<readonly string[]> {
    return await (this.#topics ??= this.#findTopics());
  }

  list(request: ListRequest, signal?: AbortSignal): Promise<Listing> {
    return this.#ask(() => list(this.#ports, request, signal));
  }

  findOne(at: RecordPosition, signal?: AbortSignal): ReturnType<typeof findOne> {
    return this.#ask(() => findOne(this.#ports, at, signal));
  }

  replay(request: ReplayRequest, progress: ReplayProgress, signal: AbortSignal): Promise<ReplaySummary> {
    return this.#ask(() => replay(this.#ports, request, progress, signal));
  }

  drop(request: DropRequest, signal: AbortSignal): Promise<DropSummary> {
    return this.#ask(() => drop(this.#ports, request, signal));
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await Promise.all([this.#reader.close(), this.#offsets.close()]);
  }

  /** Connections stay for a while after a question. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    // New topics may have come; questions at the same time share one look.
    if (this.#asking === 0) this.#topics = undefined;
    this.#asking += 1;
    try {
      const answer = await question();
      this.#signatures.requireSecretToLook();
      return answer;
    } finally {
      this.#asking -= 1;
      if (this.#asking === 0) {
        this.#idle = setTimeout(() => void this.#reader.close(), READER_IDLE_MS);
        Deno.unrefTimer(this.#idle);
      }
    }
  }

  async #findTopics(): Promise<readonly string[]> {
    const { topics } = this.#config.source;
    return deadLetterTopics(topics, await this.#offsets.topics(), sidesOf(this.#config));
  }
}
