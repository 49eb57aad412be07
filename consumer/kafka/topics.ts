// Topics: waits for those that are read, and makes the two side topics where they are missing.

import type { Admin } from "kafkajs";
import { logger } from "../../shared/log.ts";
import { StartError } from "../../shared/process.ts";

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

/** Partitions of a topic; undefined where there is none of that name. */
export async function countPartitions(admin: Admin, topic: string): Promise<number | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length || undefined;
  } catch (error) {
    if ((error as { type?: string }).type === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
    throw error;
  }
}

/**
 * Makes a side topic with the source's partitions where it is missing, and says whether it is there now. A broker
 * without a controller cannot make topics; there, asking for its metadata may.
 */
export async function ensureSideTopic(admin: Admin, topic: string, partitions: number): Promise<boolean> {
  try {
    if (await countPartitions(admin, topic) !== undefined) return true;
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: -1 }] });
    log.info("topic made", { topic, partitions });
    return true;
  } catch (error) {
    log.warn("the side topic can be neither found nor made", { topic, error: String(error) });
    return await countPartitions(admin, topic).catch(() => undefined) !== undefined;
  }
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
