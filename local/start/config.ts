// The environment as `start` reads it: which parts are embedded, which are the user's own. Pure.

import { parseConfig as parseConsumer } from "../../consumer/config.ts";
import { describeTopics, parseTopics } from "../../consumer/kafka/topics/topic_selection.ts";
import { deadLetterTopicOf, retryTopicOf } from "../../consumer/records/topic_names.ts";
import { collectProblems, type Environment, readVariables } from "../../shared/config/read.ts";
import { parseConfig as parseWorker } from "../../worker/config.ts";
import { parseIngressConfig } from "../../worker/ingress/config.ts";
import type { AutoscalerBounds } from "./replicas/autoscaler.ts";

/** What the environment asks of `start`: which parts are embedded, which are the user's own. */
export interface StartConfig {
  /** The user's own brokers; undefined where Kafka is embedded. */
  readonly brokers: readonly string[] | undefined;
  /** The user's own database; undefined where Postgres is embedded. */
  readonly databaseUrl: string | undefined;
  /** Whether the local model takes the provider's place. */
  readonly localModel: boolean;
  readonly topic: string;
  /** What other commands need in order to use the same topics and table. */
  readonly named: {
    readonly topics: string;
    readonly deadLetterTopic?: string;
    readonly retryTopic?: string;
    readonly ticketsTable?: string;
    readonly ticketsColumns?: string;
  };
  readonly groupId: string;
  /** The topics the embedded Kafka gets: those that are read, their dead letters and their retries. */
  readonly topics: readonly string[];
  readonly bounds: AutoscalerBounds;
  /** The address that is listened on. */
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  readonly shutdownGraceMs: number;
}

// Stand-ins for what `start` provides, so that the consumer's and the worker's own rules check all the rest.
const PROVIDED = {
  KAFKA_BROKERS: "127.0.0.1:1",
  WORKER_URL: "http://127.0.0.1:1",
  // No open port on the network.
  LISTEN_ADDRESS: "127.0.0.1",
  DATABASE_URL: "postgres://127.0.0.1:1/embedded",
};
const LOCAL_MODEL = "http://127.0.0.1:1/v1";

/**
 * Reads the environment as all of the parts will.
 *
 * @throws {ConfigError} with every problem of every part at once.
 */
export function readStartConfig(env: Environment): StartConfig {
  const set = (name: string) => env(name)?.trim() || undefined;
  const localModel = !set("OPENAI_API_KEY") && !set("OPENAI_BASE_URL");
  const provided: Record<string, string> = {
    ...PROVIDED,
    ...(localModel ? { OPENAI_BASE_URL: LOCAL_MODEL } : {}),
  };
  const filled = (name: string) => name === "WORKER_URL" ? provided[name] : set(name) ?? provided[name];
  const { consumer, worker, own } = readAll(filled, set("KAFKA_BROKERS") !== undefined);
  const { source, deadLetterTopic, retryTopic } = consumer;
  const [table, columns] = [set("TICKETS_TABLE"), set("TICKETS_COLUMNS")];
  return {
    brokers: set("KAFKA_BROKERS") === undefined ? undefined : consumer.kafka.brokers,
    databaseUrl: set("DATABASE_URL"),
    localModel,
    topic: source.topics.names[0] ?? "support-tickets",
    named: {
      topics: filled("KAFKA_TOPIC") ?? describeTopics(source.topics),
      ...(deadLetterTopic === undefined ? {} : { deadLetterTopic }),
      ...(retryTopic === undefined ? {} : { retryTopic }),
      ...(table === undefined ? {} : { ticketsTable: table }),
      ...(columns === undefined ? {} : { ticketsColumns: columns }),
    },
    groupId: source.groupId,
    topics: source.topics.names.flatMap((topic) => [
      topic,
      deadLetterTopicOf(topic, source.groupId, deadLetterTopic),
      retryTopicOf(topic, source.groupId, retryTopic),
    ]),
    bounds: {
      min: consumer.scale.min,
      max: consumer.scale.max,
      idleMs: own.WORKER_IDLE_MS,
      permitsPerReplica: consumer.pool.concurrency,
    },
    host: own.LISTEN_ADDRESS,
    port: worker.port,
    adminPort: consumer.adminPort,
    shutdownGraceMs: worker.shutdownGraceMs,
  };
}

function readAll(env: Environment, ownKafka: boolean) {
  const [consumer, worker, , own] = collectProblems(
    () => parseConsumer(env),
    () => parseWorker(env),
    () => parseIngressConfig(env),
    () => readVariables(["WORKER_IDLE_MS", "LISTEN_ADDRESS"], env),
    () =>
      readVariables(["PORT", "ADMIN_PORT", "KAFKA_TOPIC"], env, (v) => [
        ...(v.PORT !== undefined && v.PORT !== 0 && v.PORT === v.ADMIN_PORT
          ? [`PORT and ADMIN_PORT are the same: current value is ${v.PORT}`]
          : []),
        ...(ownKafka || v.KAFKA_TOPIC === undefined || parseTopics(v.KAFKA_TOPIC).names.length > 0
          ? []
          : ["KAFKA_TOPIC is a pattern: the embedded Kafka needs a topic with a name, too"]),
      ]),
  );
  return { consumer, worker, own };
}
