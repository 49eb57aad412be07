// Topics: waits for those that are read, and makes the two side topics where they are missing.

import type { Admin } from "kafkajs";
import { logger } from "../../shared/log.ts";
import { StartError } from "../../shared/process.ts";
import { countPartitions, deadLetterTopicOf, ensureSideTopic, retryTopicOf } from "./side_topics.ts";

const log = logger("kafka");

/** Errors of kafkajs that mean "no" rather than "not now". */
const REFUSALS = new Set(["KafkaJSSASLAuthenticationError"]);

/** Pause between looks for a topic that is not there yet, in ms. */
const LOOK_EVERY_MS = 2000;

/**
 * Connects to the brokers, waiting for them if need be; false when `signal` fired first.
 *
 * @throws {StartError} when Kafka refuses us: that does not heal by waiting.
 */
export async function connectAdmin(admin: Admin, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await admin.connect();
      return true;
    } catch (error) {
      if (REFUSALS.has((error as Error).name)) {
        throw new StartError(`Kafka refuses us: ${(error as Error).message}`);
      }
      log.warn("no broker can be reached, trying again", { error: (error as Error).message });
      await pause(LOOK_EVERY_MS, signal);
    }
  }
  return false;
}

/** Waits until a topic exists; undefined when `signal` fired first. Returns the number of its partitions. */
export async function waitForTopic(
  admin: Admin,
  topic: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  for (let told = false; !signal.aborted; told = true) {
    const partitions = await countPartitions(admin, topic);
    if (partitions !== undefined) return partitions;
    if (!told) log.warn("the topic does not exist yet, waiting for it", { topic });
    await pause(LOOK_EVERY_MS, signal);
  }
  return undefined;
}

/** Where records come from and go to. */
export interface TopicNames {
  readonly source: { readonly topics: readonly string[]; readonly groupId: string };
  readonly deadLetterTopic: string | undefined;
  readonly retryTopic: string | undefined;
}

/**
 * The topics to read: those configured, once they exist, and the retry topic of each that has one. The side topics are
 * made where they are missing. Undefined when `signal` fired first.
 */
export async function findTopics(
  admin: Admin,
  { source, deadLetterTopic, retryTopic }: TopicNames,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const found = new Set<string>();
  for (const topic of source.topics) {
    const partitions = await waitForTopic(admin, topic, signal);
    if (partitions === undefined) return undefined;
    found.add(topic);
    await ensureSideTopic(admin, deadLetterTopicOf(topic, source.groupId, deadLetterTopic), partitions);
    const retries = retryTopicOf(topic, source.groupId, retryTopic);
    if (await ensureSideTopic(admin, retries, partitions)) found.add(retries);
  }
  return [...found];
}

/** Waits, but not longer than until `signal` fires. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
