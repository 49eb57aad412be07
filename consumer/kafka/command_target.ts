// The Kafka that a command means: the user's own, by the consumer's variables, or the one a running `start` has embedded.

import type { Environment } from "../../shared/config.ts";
import type { Run } from "../../shared/run_file.ts";
import type { KafkaClientConfig } from "./client.ts";
import { SECURITY_NAMES } from "./security_variables.ts";
import { readTls, type TlsFiles } from "./tls_files.ts";

/** How Kafka is reached, its certificates read from their files. */
export function clientOf(
  { kafka, tlsFiles }: {
    readonly kafka: Omit<KafkaClientConfig, "tls">;
    readonly tlsFiles: TlsFiles | undefined;
  },
): KafkaClientConfig {
  return { ...kafka, tls: readTls(tlsFiles) };
}

/** Whether the environment names brokers of the user's own. */
export const hasOwnKafka = (env: Environment): boolean => Boolean(env("KAFKA_BROKERS")?.trim());

/**
 * The environment with what a running start adds to it, where it names no brokers itself. `WORKER_URL` may be missing:
 * commands send nothing there.
 */
export function commandEnvironment(env: Environment, run: Run | undefined): Environment {
  const known = hasOwnKafka(env) || run?.brokers === undefined ? {} : {
    // How the user's own brokers are reached is no affair of the embedded one.
    ...Object.fromEntries(SECURITY_NAMES.map((name) => [name, ""])),
    KAFKA_BROKERS: run.brokers,
    KAFKA_TOPIC: run.topic,
    KAFKA_GROUP_ID: run.groupId,
    ADMIN_PORT: String(run.adminPort),
  } as Readonly<Record<string, string>>;
  return (name) => known[name] ?? env(name) ?? (name === "WORKER_URL" ? "http://localhost" : undefined);
}
