// What the environment says to `start`: which parts are embedded, which are the user's own. Pure.

import { parseConfig as parseConsumer } from "../../consumer/config.ts";
import { describeTopics } from "../../consumer/kafka/topics/topic_selection.ts";
import { deadLetterTopicOf, retryTopicOf } from "../../consumer/records/topic_names.ts";
import { ConfigError, type Environment, readVariables } from "../../shared/config/read.ts";
import { parseConfig as parseWorker } from "../../worker/config.ts";
import { parseIngressConfig } from "../../worker/ingress/config.ts";
import type { ScalerBounds } from "./replicas/autoscaler.ts";

/** What the environment asks of `start`: which parts are embedded, which are the user's own. */
export interface StartConfig {
  /** The user's own brokers; undefined where Kafka is embedded. */
  readonly brokers: readonly string[] | undefined;
  /** The user's own database; undefined where Postgres is embedded. */
  readonly databaseUrl: string | undefined;
  /** Whether the local model takes the provider's place. */
  readonly localModel: boolean;
  readonly topic: string;
  /** What commands beside it have to know to read the same topics. */
  readonly named: {
    readonly topics: string;
    readonly deadLetterTopic?: string;
    readonly retryTopic?: string;
  };
  readonly groupId: string;
  /** The topics the embedded Kafka gets: those that are read, their dead letters and their retries. */
  readonly topics: readonly string[];
  readonly bounds: ScalerBounds;
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
  // Nobody else on the network is asked to find an open port here.
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
  const { consumer, worker, own } = readAll(filled);
  const { source, deadLetterTopic, retryTopic } = consumer;
  if (set("KAFKA_BROKERS") === undefined && source.topics.names.length === 0) {
    throw new ConfigError(["KAFKA_TOPIC is a pattern: the embedded Kafka needs a topic with a name, too"]);
  }
  return {
    brokers: set("KAFKA_BROKERS") === undefined ? undefined : consumer.kafka.brokers,
    databaseUrl: set("DATABASE_URL"),
    localModel,
    topic: source.topics.names[0] ?? "support-tickets",
    named: {
      topics: filled("KAFKA_TOPIC") ?? describeTopics(source.topics),
      ...(deadLetterTopic === undefined ? {} : { deadLetterTopic }),
      ...(retryTopic === undefined ? {} : { retryTopic }),
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

function readAll(env: Environment) {
  const problems = new Set<string>();
  const read = <T>(parse: (env: Environment) => T): T | undefined => {
    try {
      return parse(env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) problems.add(problem);
      return undefined;
    }
  };
  const consumer = read(parseConsumer);
  const worker = read(parseWorker);
  read(parseIngressConfig);
  const own = read((env) => readVariables(["WORKER_IDLE_MS", "LISTEN_ADDRESS"], env));
  if (worker !== undefined && worker.port !== 0 && worker.port === consumer?.adminPort) {
    problems.add(`PORT and ADMIN_PORT are the same: current value is ${worker.port}`);
  }
  if (consumer === undefined || worker === undefined || own === undefined || problems.size > 0) {
    throw new ConfigError([...problems]);
  }
  return { consumer, worker, own };
}
