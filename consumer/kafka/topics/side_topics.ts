// Side topics: makes a dead-letter or retry topic where it is missing, and says why it is not there.

import type { Admin } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import { Forbidden } from "../client/refusals.ts";
import type { TopicSettings } from "./topic_settings.ts";

const log = logger("kafka");

/** How often, and with which pause in ms, a topic that was just made is looked for. */
const LOOKS_MAX = 50;
const LOOK_EVERY_MS = 100;

/**
 * Makes a side topic like its source where it is missing, and says why it is not there now, if it is not. Where a
 * broker is away that would have to hold a replica, it is made later: one with fewer would stay so.
 * A broker without a controller cannot make topics; there, asking for its metadata may.
 */
export async function ensureSideTopic(
  admin: Admin,
  topic: string,
  { partitions, replicas, configs, own }: TopicSettings,
): Promise<string | undefined> {
  try {
    if (await countPartitions(admin, topic) !== undefined) return undefined;
    // kafkajs's own wait for leaders takes a broker that has not heard of the topic yet for a refusal.
    const configEntries = own.map((name) => ({ name, value: String(configs[name]) }));
    await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, replicationFactor: replicas, configEntries }],
    });
    log.info("topic made", { topic, partitions, replicas });
    return await appears(admin, topic) ? undefined : "it was made, but no broker knows it yet";
  } catch (error) {
    if (await countPartitions(admin, topic).catch(() => undefined) !== undefined) return undefined;
    const { message, errors } = error as Error & { readonly errors?: readonly Error[] };
    return errors?.[0]?.message ?? message;
  }
}

/** Waits for a new topic to be known to the brokers; that takes them a moment. */
async function appears(admin: Admin, topic: string): Promise<boolean> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    if (await countPartitions(admin, topic) !== undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}

/**
 * Partitions of a topic; undefined where there is none of that name.
 *
 * @throws {Forbidden} when we may not see it, and so not know whether it exists.
 */
export async function countPartitions(admin: Admin, topic: string): Promise<number | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length || undefined;
  } catch (error) {
    const { type } = error as { type?: string };
    if (type === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
    if (type === "TOPIC_AUTHORIZATION_FAILED") throw new Forbidden([`see the topic ${topic}`]);
    throw error;
  }
}
