// What the commands that look at a consumer from outside need of its environment: the brokers, the group, the topics.

import type { Environment } from "../shared/config.ts";
import { type ConsumerConfig, parseConfig } from "./config.ts";
import { clientOf } from "./consumer_parts.ts";
import { createKafka } from "./kafka/client.ts";

/** See the first line. */
export interface KafkaConnection {
  readonly kafka: ReturnType<typeof createKafka>;
  readonly config: ConsumerConfig;
}

/** Retries of one request: a person waits for the answer. */
const RETRIES = 4;

/**
 * Reads the consumer's own variables; `WORKER_URL` may be missing, for nothing is sent there.
 *
 * @throws {ConfigError} with every problem at once.
 */
export async function connectKafka(env: Environment, clientId: string): Promise<KafkaConnection> {
  const config = parseConfig((name) => env(name) ?? (name === "WORKER_URL" ? "http://localhost" : undefined));
  return { config, kafka: createKafka({ ...await clientOf(config), clientId }, RETRIES) };
}
