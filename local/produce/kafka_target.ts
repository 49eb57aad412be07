// The Kafka that records are sent to: the user's own, by the consumer's variables, or `start`'s embedded one.

import { parseConfig } from "../../consumer/config.ts";
import { clientOf, createKafka } from "../../consumer/kafka/client/client.ts";
import { commandEnvironment, hasOwnKafka } from "../../consumer/cli/environment.ts";
import { ConfigError, type Environment } from "../../shared/config/read.ts";
import type { Run } from "../../shared/run_file.ts";

/**
 * The Kafka that records are sent to: the user's own, by the consumer's variables, or `start`'s embedded one.
 */
export interface KafkaTarget {
  readonly kafka: ReturnType<typeof createKafka>;
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
  readonly embedded: boolean;
}

/**
 * The target, or undefined where there is neither.
 *
 * @throws {ConfigError} when a variable is wrong.
 */
export function kafkaTarget(env: Environment, run: Run | undefined): KafkaTarget | undefined {
  const own = hasOwnKafka(env);
  if (!own && run?.brokers === undefined) return undefined;
  const config = parseConfig(commandEnvironment(env, run));
  const { names } = config.source.topics;
  if (names[0] === undefined) {
    throw new ConfigError(["KAFKA_TOPIC is a pattern: tickets are put into a topic with a name"]);
  }
  return {
    kafka: createKafka({ ...clientOf(config), clientId: "ackpool-produce" }),
    brokers: config.kafka.brokers,
    topic: names[0],
    groupId: config.source.groupId,
    embedded: !own,
  };
}
