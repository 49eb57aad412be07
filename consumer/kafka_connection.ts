// What the commands that look at a consumer from outside need of its environment: the brokers, the group, the topics.

import type { Environment } from "../shared/config.ts";
import { StartError } from "../shared/process.ts";
import { type ConsumerConfig, parseConfig } from "./config.ts";
import { clientOf } from "./consumer_parts.ts";
import { createKafka } from "./kafka/client.ts";
import { refusalLine, refusalOf } from "./kafka/refusals.ts";

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
export function connectKafka(env: Environment, clientId: string): KafkaConnection {
  const config = parseConfig((name) => env(name) ?? (name === "WORKER_URL" ? "http://localhost" : undefined));
  return { config, kafka: createKafka({ ...clientOf(config), clientId }, RETRIES) };
}

/** What Kafka said, in one line for people; other errors as they are. */
export function toStartError(error: Error): Error {
  const refusal = refusalOf(error);
  if (refusal !== undefined) return new StartError(refusalLine(refusal));
  const away = error.name.startsWith("KafkaJS") || error.name === "TokenServerAway";
  return away ? new StartError(`Kafka says: ${error.message}`) : error;
}
