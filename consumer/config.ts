// ConsumerConfig: what the environment says to the consumer, read and checked.

import type { DnsServer } from "../shared/pool/discovery/dns.ts";
import { type Environment, type Readable, readVariables } from "../shared/config/read.ts";
import { tokensOf } from "../shared/http/bearer_token.ts";
import { isLoopback } from "../shared/http/loopback.ts";
import { METADATA_BYTES_MAX } from "./core/offsets/offset_map.ts";
import type { MachineConfig } from "./core/machine.ts";
import type { ScaleBounds } from "./core/scale.ts";
import type { KafkaClientConfig } from "./kafka/client/client.ts";
import type { TlsFiles } from "./kafka/client/tls_files.ts";
import { loginOf, SECURITY_NAMES, securityProblems, tlsFilesOf } from "./kafka/client/security_config.ts";
import { clientIdOf } from "./kafka/group/predecessor.ts";
import type { SourceConfig } from "./kafka/group/source.ts";
import { parseTopics, type TopicSelection } from "./kafka/topics/topic_selection.ts";

/** The consumer's whole configuration. */
export interface ConsumerConfig {
  readonly kafka: Omit<KafkaClientConfig, "tls">;
  /** Undefined where brokers are reached without TLS. */
  readonly tlsFiles: TlsFiles | undefined;
  readonly source: Omit<SourceConfig, "topics"> & { readonly topics: TopicSelection };
  readonly deadLetterTopic: string | undefined;
  readonly retryTopic: string | undefined;
  /** Prove what was written to the side topics; the first signs. */
  readonly deadLetterSecrets: readonly string[];
  /** A record that was replayed so often already is left in the dead-letter topic. */
  readonly replaysMax: number;
  readonly machine: MachineConfig;
  /** Attempts a second of the whole group; undefined: no limit. */
  readonly ratePerSecond: number | undefined;
  readonly pool: {
    readonly urls: readonly URL[];
    readonly dnsServer: DnsServer | undefined;
    readonly concurrency: number;
    readonly token: string | undefined;
    readonly connectTimeoutMs: number;
    readonly firstByteMs: number | undefined;
    readonly hedgeMs: number | undefined;
    readonly retryAfterMaxMs: number;
  };
  readonly timeoutMs: number;
  readonly scale: ScaleBounds;
  readonly host: string;
  readonly adminPort: number;
  /** Where the admin side listens. */
  readonly adminHost: string;
  readonly adminToken: string | undefined;
  readonly healthPort: number | undefined;
}

/** Memory for records that are not settled yet. */
const BOUNDS = { records: 10_000, bytes: 64 * 1024 * 1024 };

/**
 * Reads the consumer's configuration.
 *
 * @throws {ConfigError} with every problem at once.
 */
export function parseConfig(env: Environment): ConsumerConfig {
  const v = readAll(env);
  const instanceId = v.KAFKA_INSTANCE_ID?.replaceAll("$HOSTNAME", () => env("HOSTNAME") ?? "");
  return {
    kafka: {
      brokers: v.KAFKA_BROKERS,
      clientId: clientIdOf(instanceId),
      sasl: loginOf(v),
    },
    tlsFiles: tlsFilesOf(v),
    source: {
      topics: topicsOf(v),
      groupId: v.KAFKA_GROUP_ID,
      sessionTimeoutMs: v.KAFKA_SESSION_TIMEOUT_MS,
      instanceId,
      reset: v.KAFKA_AUTO_OFFSET_RESET,
      ordered: v.DELIVERY_MODE === "key",
    },
    deadLetterTopic: v.DEAD_LETTER_TOPIC,
    retryTopic: v.RETRY_TOPIC,
    deadLetterSecrets: tokensOf(v.DEAD_LETTER_SECRET),
    replaysMax: v.DEAD_LETTER_REPLAYS_MAX,
    machine: machineOf(v),
    ratePerSecond: v.RATE_LIMIT,
    pool: {
      urls: v.WORKER_URL,
      dnsServer: v.WORKER_DNS_SERVER,
      concurrency: v.WORKER_CONCURRENCY,
      // Workers take several while tokens are rotated; we prove ourselves with the first.
      token: tokensOf(v.WORKER_TOKEN)[0],
      connectTimeoutMs: Math.min(v.WORKER_CONNECT_TIMEOUT_MS, v.WORKER_TIMEOUT_MS),
      firstByteMs: v.WORKER_FIRST_BYTE_MS,
      hedgeMs: v.WORKER_HEDGE_MS,
      retryAfterMaxMs: v.RETRY_AFTER_MAX_MS,
    },
    timeoutMs: v.WORKER_TIMEOUT_MS,
    scale: {
      min: v.WORKER_MIN,
      max: v.WORKER_MAX,
      targetDrainMs: v.TARGET_DRAIN_SECONDS * 1000,
    },
    host: v.LISTEN_ADDRESS,
    adminPort: v.ADMIN_PORT,
    // Without a token everybody who reaches the admin side may do everything, so it listens on loopback.
    adminHost: v.ADMIN_TOKEN !== undefined || isLoopback(v.LISTEN_ADDRESS) ? v.LISTEN_ADDRESS : "127.0.0.1",
    adminToken: v.ADMIN_TOKEN,
    healthPort: v.HEALTH_PORT,
  };
}

type Read = ReturnType<typeof readAll>;

const NAMES = [
  "KAFKA_BROKERS",
  "KAFKA_TOPIC",
  "KAFKA_GROUP_ID",
  ...SECURITY_NAMES,
  "KAFKA_SESSION_TIMEOUT_MS",
  "KAFKA_INSTANCE_ID",
  "KAFKA_AUTO_OFFSET_RESET",
  "DELIVERY_MODE",
  "BATCH_SIZE",
  "BATCH_LINGER_MS",
  "COMMIT_MODE",
  "COMMIT_INTERVAL_MS",
  "IDLE_EXIT_MS",
  "WORKER_URL",
  "WORKER_DNS_SERVER",
  "WORKER_CONCURRENCY",
  "WORKER_MIN",
  "WORKER_MAX",
  "TARGET_DRAIN_SECONDS",
  "WORKER_TIMEOUT_MS",
  "WORKER_CONNECT_TIMEOUT_MS",
  "WORKER_FIRST_BYTE_MS",
  "WORKER_HEDGE_MS",
  "WORKER_TOKEN",
  "MAX_ATTEMPTS",
  "RETRY_BACKOFF_MS",
  "RETRY_BACKOFF_MAX_MS",
  "RETRY_AFTER_MAX_MS",
  "RETRY_AGE_MAX_MS",
  "RATE_LIMIT",
  "DEAD_LETTER_TOPIC",
  "RETRY_TOPIC",
  "DEAD_LETTER_BURST",
  "DEAD_LETTER_SHARE",
  "DEAD_LETTER_REPLAYS_MAX",
  "DEAD_LETTER_SECRET",
  "PARK_KEYS",
  "LISTEN_ADDRESS",
  "ADMIN_PORT",
  "ADMIN_TOKEN",
  "HEALTH_PORT",
  "SHUTDOWN_GRACE_MS",
  // Read where logs are set up; here so that all problems come at once.
  "LOG_LEVEL",
  "LOG_FORMAT",
] as const;

function readAll(env: Environment) {
  return readVariables(NAMES, env, (v) => [
    ...securityProblems(v),
    ...backoffProblems(v),
    ...topicProblems(v),
    ...replicaProblems(v),
    ...portProblems(v),
    ...parkingProblems(v),
    ...sideTopicProblems(v),
    ...instanceProblems(v, env),
  ]);
}

/** Two machines without a name would share an instance. */
function instanceProblems({ KAFKA_INSTANCE_ID: id }: Part, env: Environment): string[] {
  if (!id?.includes("$HOSTNAME") || env("HOSTNAME")) return [];
  return [`KAFKA_INSTANCE_ID needs HOSTNAME, which is not set: current value is "${id}"`];
}

type Part = Readable<(typeof NAMES)[number]>;

function backoffProblems({ RETRY_BACKOFF_MS: first, RETRY_BACKOFF_MAX_MS: max }: Part): string[] {
  if (first === undefined || max === undefined || max >= first) return [];
  return [`RETRY_BACKOFF_MAX_MS is below RETRY_BACKOFF_MS: current values are ${max} and ${first}`];
}

function portProblems({ ADMIN_PORT, HEALTH_PORT }: Part): string[] {
  if (HEALTH_PORT === undefined || HEALTH_PORT !== ADMIN_PORT) return [];
  return [`HEALTH_PORT is ADMIN_PORT: current value is ${HEALTH_PORT}`];
}

function replicaProblems({ WORKER_MIN: min, WORKER_MAX: max }: Part): string[] {
  if (min === undefined || max === undefined || min <= max) return [];
  return [`WORKER_MIN is above WORKER_MAX: current values are ${min} and ${max}`];
}

function parkingProblems({ PARK_KEYS, DELIVERY_MODE: mode, RETRY_TOPIC, DEAD_LETTER_TOPIC }: Part): string[] {
  if (PARK_KEYS !== true) return [];
  return [
    ...(mode === undefined || mode === "key"
      ? []
      : [`PARK_KEYS=true needs DELIVERY_MODE=key: current value is "${mode}"`]),
    // Records from the retry topic may be dead-lettered again, so the dead-letter topic must be named too.
    ...(RETRY_TOPIC !== undefined && DEAD_LETTER_TOPIC === undefined
      ? ["PARK_KEYS=true needs DEAD_LETTER_TOPIC where RETRY_TOPIC is set"]
      : []),
  ];
}

/** A dead letter that is read as a record would be dead-lettered again, and again. */
function sideTopicProblems(v: Part): string[] {
  const { names } = parseTopics(v.KAFKA_TOPIC ?? "");
  const read = (["DEAD_LETTER_TOPIC", "RETRY_TOPIC"] as const).filter((name) =>
    names.includes(v[name] ?? "")
  );
  return [
    ...read.map((name) => `${name} is one of the topics in KAFKA_TOPIC: current value is "${v[name]}"`),
    ...(v.RETRY_TOPIC !== undefined && v.RETRY_TOPIC === v.DEAD_LETTER_TOPIC
      ? [`RETRY_TOPIC is DEAD_LETTER_TOPIC: current value is "${v.RETRY_TOPIC}"`]
      : []),
  ];
}

function topicProblems({ KAFKA_TOPIC: topics }: Part): string[] {
  return topics === undefined ? [] : parseTopics(topics).problems.map((problem) => `KAFKA_TOPIC ${problem}`);
}

function topicsOf({ KAFKA_TOPIC }: Pick<Read, "KAFKA_TOPIC">): TopicSelection {
  const { names, patterns } = parseTopics(KAFKA_TOPIC);
  return { names, patterns };
}

function machineOf(v: Read): MachineConfig {
  return {
    mode: v.DELIVERY_MODE,
    commits: v.COMMIT_MODE,
    commitIntervalMs: v.COMMIT_INTERVAL_MS,
    batch: { size: v.BATCH_SIZE, lingerMs: v.BATCH_LINGER_MS },
    idleExitMs: v.IDLE_EXIT_MS,
    maxAttempts: v.MAX_ATTEMPTS,
    parkKeys: v.PARK_KEYS,
    backoff: { firstMs: v.RETRY_BACKOFF_MS, maxMs: v.RETRY_BACKOFF_MAX_MS },
    retryAfterMaxMs: v.RETRY_AFTER_MAX_MS,
    retryAgeMaxMs: v.RETRY_AGE_MAX_MS,
    deadLetters: { burst: v.DEAD_LETTER_BURST, share: v.DEAD_LETTER_SHARE },
    bounds: BOUNDS,
    metadataBytesMax: METADATA_BYTES_MAX,
    shutdownGraceMs: v.SHUTDOWN_GRACE_MS,
  };
}
