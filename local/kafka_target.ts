// The Kafka that records are put into: the user's own, by the consumer's variables, or the one `start` has embedded.

import { parseConfig } from "../consumer/config.ts";
import { createKafka } from "../consumer/kafka/client.ts";
import { readTls } from "../consumer/kafka/tls_files.ts";
import { SECURITY_NAMES } from "../consumer/kafka/security_variables.ts";
import type { Environment } from "../shared/config.ts";
import type { Run } from "./run_file.ts";

/** See the file's first line. */
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
  const own = env("KAFKA_BROKERS")?.trim();
  if (!own && run?.brokers === undefined) return undefined;
  const known: Record<string, string | undefined> = {
    KAFKA_BROKERS: own || run?.brokers,
    // The consumer asks for it; nothing is sent there from here.
    WORKER_URL: "http://localhost",
    ...(own
      ? {}
      // How the user's own brokers are reached is no affair of the embedded one.
      : {
        ...Object.fromEntries(SECURITY_NAMES.map((name) => [name, ""])),
        KAFKA_TOPIC: run?.topic,
        KAFKA_GROUP_ID: run?.groupId,
      }),
  };
  const config = parseConfig((name) => known[name] ?? env(name));
  const client = { ...config.kafka, clientId: "ackpool-produce", tls: readTls(config.tlsFiles) };
  return {
    kafka: createKafka(client),
    brokers: config.kafka.brokers,
    topic: config.source.topics.names[0] ?? "support-tickets",
    groupId: config.source.groupId,
    embedded: !own,
  };
}
