// The Kafka that records are put into: the user's own, by the consumer's variables, or the one `start` has embedded.

import { parseConfig, type TlsFiles } from "../consumer/config.ts";
import { createKafka, type KafkaClientConfig } from "../consumer/kafka/client.ts";
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
export async function kafkaTarget(env: Environment, run: Run | undefined): Promise<KafkaTarget | undefined> {
  const own = env("KAFKA_BROKERS")?.trim();
  if (!own && run?.brokers === undefined) return undefined;
  const known: Record<string, string | undefined> = {
    KAFKA_BROKERS: own || run?.brokers,
    // The consumer asks for it; nothing is sent there from here.
    WORKER_URL: "http://localhost",
    ...(own
      ? {}
      : { KAFKA_TOPIC: run?.topic, KAFKA_GROUP_ID: run?.groupId, KAFKA_SECURITY_PROTOCOL: "PLAINTEXT" }),
  };
  const config = parseConfig((name) => known[name] ?? env(name));
  const client = { ...config.kafka, clientId: "ackpool-produce", tls: await readTls(config.tlsFiles) };
  return {
    kafka: createKafka(client),
    brokers: config.kafka.brokers,
    topic: config.source.topics[0] ?? "support-tickets",
    groupId: config.source.groupId,
    embedded: !own,
  };
}

async function readTls(files: TlsFiles | undefined): Promise<KafkaClientConfig["tls"]> {
  if (files === undefined) return undefined;
  const read = async (name: "ca" | "cert" | "key") =>
    files[name] === undefined ? {} : { [name]: await Deno.readTextFile(files[name]) };
  const passphrase = files.passphrase === undefined ? {} : { passphrase: files.passphrase };
  return { ...await read("ca"), ...await read("cert"), ...await read("key"), ...passphrase };
}
