// The library: a consumer of any topic, with a handler in this process or workers behind HTTP.

import { collectProblems, ConfigError } from "../shared/config/read.ts";
import type { VariableName } from "../shared/config/variables.ts";
import { type ConsumerConfig, parseConfig } from "./config.ts";
import { type ConsumerParts, type ConsumerSummary, partsOf, runConsumer } from "./consumer.ts";
import type { DeliveryMode } from "./core/policies/delivery_mode.ts";
import { type Handler, HandlerSender } from "./senders/handler.ts";
import { clientOf } from "./kafka/client/client.ts";
import type { KafkaRecord } from "./records/record.ts";
import { checkTlsFiles } from "./kafka/client/security_config.ts";

export { configureLogs } from "../shared/log.ts";
export { ConfigError } from "../shared/config/read.ts";
export type { ConsumerSummary } from "./consumer.ts";
export type { DeliveryMode } from "./core/policies/delivery_mode.ts";
export { DeadLetter, type Handler, type HandlerContext, RetryLater } from "./senders/handler.ts";
export type { KafkaRecord } from "./records/record.ts";

/** What every consumer has. Times in ms. */
export interface CommonOptions {
  /** `host:port`. */
  readonly brokers: string | readonly string[];
  /** Names, or patterns in slashes such as `/^orders-/`. */
  readonly topics: string | readonly string[];
  readonly groupId: string;
  /** `parallel` by default. */
  readonly mode?: DeliveryMode;
  /** Records at once: calls of the handler, or requests a replica. 8 by default. */
  readonly concurrency?: number;
  /** Time limit of one attempt, 60,000 by default. */
  readonly timeoutMs?: number;
  readonly maxAttempts?: number;
  /** Ends by itself after so long without a record; never by default. */
  readonly idleExitMs?: number;
  /** Health, metrics and dead letters over HTTP; off by default, 0 takes any port. */
  readonly adminPort?: number;
  /** Insists that `groupId` is `service.group`. */
  readonly checkNames?: boolean;
  /** Every other variable of README's table, by its name: security, backoff, dead letters. */
  readonly settings?: Partial<Readonly<Record<VariableName, string>>>;
}

/** Records go to a function in this process. */
export interface HandlerOptions<T> extends CommonOptions {
  readonly handler: Handler<T>;
  readonly workerUrl?: never;
  /** JSON by default, null for a tombstone. What it throws makes the record a dead letter. */
  readonly unpack?: (record: KafkaRecord) => T;
  /** Whether what the handler depends on is there: it decides whether a lone failure is the record's fault. */
  readonly health?: () => boolean | Promise<boolean>;
}

/** Records go to workers behind HTTP. */
export interface WorkerOptions extends CommonOptions {
  /** Base URL: one, a comma list, or a name with several addresses. */
  readonly workerUrl: string;
  readonly handler?: never;
}

/** A consumer that is not running yet. */
export interface Consumer {
  /**
   * Runs until `stop()`, until `signal` fires, or until it is idle where `idleExitMs` says so. Once.
   *
   * @throws {StartError} when Kafka refuses it, or the admin port is taken.
   */
  run(signal?: AbortSignal): Promise<ConsumerSummary>;
  /** Takes nothing new; what is in flight is finished and committed, then `run()` resolves. May be called twice. */
  stop(): void;
}

/**
 * Makes a consumer.
 *
 * @throws {ConfigError} with every problem at once.
 */
export function createConsumer<T = unknown>(options: HandlerOptions<T> | WorkerOptions): Consumer {
  const config = readOptions(options);
  const stopping = new AbortController();
  return {
    stop: () => stopping.abort(),
    run: async (signal) => {
      const signals = signal === undefined ? [stopping.signal] : [stopping.signal, signal];
      return await runConsumer(toParts(config, options), AbortSignal.any(signals));
    },
  };
}

function toParts<T>(config: ConsumerConfig, options: HandlerOptions<T> | WorkerOptions): ConsumerParts {
  const { adminPort } = options;
  if (options.handler === undefined) return { ...partsOf(config), adminPort };
  const { handler, unpack = fromJson, health = () => true } = options;
  const { concurrency } = config.pool;
  return {
    config,
    client: clientOf(config),
    // Without a function of their own, values are what JSON makes of them.
    sender: new HandlerSender<T>({
      handler,
      unpack: unpack as (record: KafkaRecord) => T,
      health,
      concurrency,
    }),
    workers: ["handler"],
    adminPort,
    concurrency,
  };
}

/** The variable behind each option: defaults and checks are the same as in the environment. */
const VARIABLE_OF = {
  brokers: "KAFKA_BROKERS",
  topics: "KAFKA_TOPIC",
  groupId: "KAFKA_GROUP_ID",
  mode: "DELIVERY_MODE",
  concurrency: "WORKER_CONCURRENCY",
  timeoutMs: "WORKER_TIMEOUT_MS",
  maxAttempts: "MAX_ATTEMPTS",
  idleExitMs: "IDLE_EXIT_MS",
  workerUrl: "WORKER_URL",
} as const satisfies Record<string, VariableName>;

function readOptions(options: CommonOptions & { readonly workerUrl?: string }): ConsumerConfig {
  const given: Partial<Record<string, string>> = { WORKER_URL: "http://localhost", ...options.settings };
  for (const [option, variable] of Object.entries(VARIABLE_OF)) {
    const value = options[option as keyof typeof VARIABLE_OF];
    if (value !== undefined) given[variable] = String(value);
  }
  const problems = options.checkNames && !/^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$/.test(options.groupId)
    ? [`groupId is not service.group: current value is ${JSON.stringify(options.groupId)}`]
    : [];
  try {
    const env = (name: string) => given[name];
    const [config] = collectProblems(() => parseConfig(env), () => checkTlsFiles(env));
    if (problems.length === 0) return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems.map(inOptionsWords));
  }
  throw new ConfigError(problems);
}

function inOptionsWords(problem: string): string {
  const known = Object.entries(VARIABLE_OF).find(([, variable]) => problem.startsWith(`${variable} `));
  return known === undefined ? problem : known[0] + problem.slice(known[1].length);
}

function fromJson({ value }: KafkaRecord): unknown {
  return value === null ? null : JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value));
}
