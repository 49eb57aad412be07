// Environment of a command: the user's own Kafka, by the consumer's variables, or the one of a running `start`.

import type { Environment } from "../../shared/config/read.ts";
import type { Run } from "../../shared/run_file.ts";
import { SECURITY_NAMES } from "../kafka/client/security_config.ts";

/** Whether the environment names brokers of the user's own. */
export const hasOwnKafka = (env: Environment): boolean => Boolean(env("KAFKA_BROKERS")?.trim());

/**
 * The environment with what a running start adds to it, where it names no brokers itself. `WORKER_URL` may be missing:
 * commands send nothing there.
 */
export function commandEnvironment(env: Environment, run: Run | undefined): Environment {
  const embedded = hasOwnKafka(env) ? undefined : run;
  const known: Readonly<Record<string, string | undefined>> = embedded?.brokers === undefined ? {} : {
    // How the user's own brokers are reached is no affair of the embedded one.
    ...Object.fromEntries(SECURITY_NAMES.map((name) => [name, ""])),
    KAFKA_BROKERS: embedded.brokers,
  };
  // What is asked for beside that counts.
  const fallback: Readonly<Record<string, string | undefined>> = {
    WORKER_URL: "http://localhost",
    ...(embedded?.brokers === undefined ? {} : {
      KAFKA_TOPIC: embedded.topics ?? embedded.topic,
      KAFKA_GROUP_ID: embedded.groupId,
      DEAD_LETTER_TOPIC: embedded.deadLetterTopic,
      RETRY_TOPIC: embedded.retryTopic,
      ADMIN_PORT: String(embedded.adminPort),
    }),
  };
  return (name) => known[name] ?? (env(name)?.trim() || fallback[name]);
}
