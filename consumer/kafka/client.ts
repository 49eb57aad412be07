// The connection to the brokers: addresses, security, and kafkajs's own log lines in ours.

import { Kafka, type KafkaConfig, type LogEntry, logLevel, type SASLOptions } from "kafkajs";
import type { ConnectionOptions } from "node:tls";
import { logger } from "../../shared/log.ts";
import { registerCodecs } from "./codecs.ts";
import { quietRequestQueues } from "./quiet_request_queue.ts";

const log = logger("kafka");

/** How brokers are reached; certificates as PEM text. */
export interface KafkaClientConfig {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly passphrase?: string;
  } | undefined;
  readonly sasl: {
    readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
    readonly username: string;
    readonly password: string;
  } | undefined;
}

/** How often kafkajs tries before it says what is wrong: about a quarter of a minute. */
const RETRIES = 8;

/** A kafkajs client. Nothing is connected yet. `retries`: fewer for those who try again themselves. */
export function createKafka(
  { brokers, clientId, tls, sasl }: KafkaClientConfig,
  retries: number = RETRIES,
): Kafka {
  quietRequestQueues();
  registerCodecs();
  const config: KafkaConfig = {
    clientId,
    brokers: [...brokers],
    connectionTimeout: 5000,
    requestTimeout: 30_000,
    retry: {
      initialRetryTime: 200,
      maxRetryTime: 3000,
      retries,
      // The source joins again by itself, after every error and not only after some.
      restartOnFailure: () => Promise.resolve(false),
    },
    logLevel: logLevel.INFO,
    logCreator: () => tell,
    ...(tls === undefined ? {} : { ssl: { ...tls } as ConnectionOptions }),
    ...(sasl === undefined ? {} : {
      sasl: { ...sasl, mechanism: sasl.mechanism.toLowerCase() } as SASLOptions,
    }),
  };
  return new Kafka(config);
}

/** kafkajs tells of every retry as an error; for us they are remarks until a cause says otherwise. */
function tell({ level, namespace, log: { message, ...rest } }: LogEntry): void {
  const { timestamp: _timestamp, logger: _logger, stack: _stack, ...properties } = rest;
  const told = { ...properties, namespace, said: message };
  if (level === logLevel.ERROR) log.warn("kafkajs", told);
  else if (level === logLevel.WARN) log.info("kafkajs", told);
  else log.debug("kafkajs", told);
}
