// KafkaConnection: a consumer's environment and a connection to its brokers, for commands that look from outside.

import { collectProblems, type Environment } from "../../shared/config/read.ts";
import { StartError } from "../../shared/process/start_error.ts";
import { HOME_FOLDER, readRun } from "../../shared/run_file.ts";
import { type ConsumerConfig, parseConfig } from "../config.ts";
import { clientOf, createKafka } from "../kafka/client/client.ts";
import { checkTlsFiles } from "../kafka/client/security_config.ts";
import { commandEnvironment, hasOwnKafka } from "./environment.ts";
import { refusalLine, refusalOf } from "../kafka/client/refusals.ts";

/** A consumer's environment and a connection to its brokers, for commands that look at it from outside. */
export interface KafkaConnection {
  readonly kafka: ReturnType<typeof createKafka>;
  readonly config: ConsumerConfig;
}

/** Retries of one request: a person waits for the answer. */
const RETRIES = 4;

/** The environment, with what the `start` that runs beside us adds where no brokers are named. */
export async function environmentOf(env: Environment): Promise<Environment> {
  return commandEnvironment(env, hasOwnKafka(env) ? undefined : await readRun(HOME_FOLDER));
}

/**
 * Reads the consumer's own variables.
 *
 * @throws {ConfigError} with every problem at once.
 * @throws {StartError} where no brokers are named.
 */
export function connectKafka(env: Environment, clientId: string): KafkaConnection {
  if (!hasOwnKafka(env)) {
    throw new StartError("No Kafka is known: run `deno task start` beside this, or set KAFKA_BROKERS.");
  }
  const [config] = collectProblems(() => parseConfig(env), () => checkTlsFiles(env));
  return { config, kafka: createKafka({ ...clientOf(config), clientId }, RETRIES) };
}

/** What Kafka said, in one line for people; other errors as they are. */
export function toStartError(error: Error): Error {
  const refusal = refusalOf(error);
  if (refusal !== undefined) return new StartError(refusalLine(refusal));
  const away = error.name.startsWith("KafkaJS") || error.name === "TokenServerAway";
  return away ? new StartError(`Kafka answered with an error: ${error.message}`) : error;
}
