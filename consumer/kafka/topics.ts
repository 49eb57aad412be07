// Topics: waits for the brokers and for the topics that are read, and tells what is waited for.

import type { Admin, Kafka } from "kafkajs";
import { StartError } from "../../shared/process.ts";
import { tryUntil, within } from "./patience.ts";
import { countPartitions, deadLetterTopicOf, ensureSideTopic, retryTopicOf } from "./side_topics.ts";

/** Errors of kafkajs that mean "no" rather than "not now". */
const REFUSALS = new Set(["KafkaJSSASLAuthenticationError"]);

/** Pause between looks for brokers and topics that are not there yet, in ms. */
const LOOK_EVERY_MS = 2000;
/** How long ending the connection may take, in ms. */
const CLOSE_LIMIT_MS = 2000;

/** Where records come from and go to. */
export interface TopicNames {
  readonly source: { readonly topics: readonly string[]; readonly groupId: string };
  readonly deadLetterTopic: string | undefined;
  readonly retryTopic: string | undefined;
}

/** What is being waited for. */
export type Awaited =
  | { readonly kind: "brokers"; readonly why: string }
  | { readonly kind: "topic"; readonly topic: string };

/** A topic that is read does not exist. */
class TopicMissing extends Error {
  override readonly name = "TopicMissing";
  constructor(readonly topic: string) {
    super(`There is no topic ${topic}`);
  }
}

/**
 * The topics to read: those configured, once they exist, and the retry topic of each that has one. The side topics are
 * made where they are missing. Undefined when `signal` fired first.
 *
 * @param kafka with few retries, so that what is wrong is told soon.
 * @throws {StartError} when Kafka refuses us: that does not heal by waiting.
 */
export async function findTopics(
  kafka: Kafka,
  names: TopicNames,
  { signal, waiting }: { readonly signal: AbortSignal; readonly waiting: (awaited: Awaited) => void },
): Promise<readonly string[] | undefined> {
  const admin = kafka.admin();
  const failed = (error: Error) => {
    if (REFUSALS.has(error.name)) throw new StartError(`Kafka refuses us: ${error.message}`);
    if (error instanceof TopicMissing) waiting({ kind: "topic", topic: error.topic });
    else waiting({ kind: "brokers", why: error.message });
  };
  const found = await tryUntil(() => look(admin, names), { everyMs: LOOK_EVERY_MS, signal, failed });
  await within(CLOSE_LIMIT_MS, admin.disconnect());
  return found;
}

async function look(admin: Admin, { source, deadLetterTopic, retryTopic }: TopicNames): Promise<string[]> {
  await admin.connect();
  const found = new Set<string>();
  for (const topic of source.topics) {
    const partitions = await countPartitions(admin, topic);
    if (partitions === undefined) throw new TopicMissing(topic);
    found.add(topic);
    await ensureSideTopic(admin, deadLetterTopicOf(topic, source.groupId, deadLetterTopic), partitions);
    const retries = retryTopicOf(topic, source.groupId, retryTopic);
    if (await ensureSideTopic(admin, retries, partitions)) found.add(retries);
  }
  return [...found];
}
