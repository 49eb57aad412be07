// The connection to the brokers: addresses, security, and kafkajs's own log lines in ours.

import { Kafka, type KafkaConfig, type LogEntry, logLevel } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import { registerCodecs } from "./codecs.ts";
import { patchCoordinatorErrors } from "../kafkajs_patches/coordinator_errors.ts";
import { patchRequestQueue } from "../kafkajs_patches/idle_request_queue.ts";
import { patchGroupFetch } from "../kafkajs_patches/group_fetch.ts";
import { hooksOf } from "../kafkajs_patches/live_subscription.ts";
import { patchOffsetCommit } from "../kafkajs_patches/offset_commit.ts";
import { patchTopicMetadata } from "../kafkajs_patches/topic_metadata.ts";
import { type Login, toSasl } from "./sasl.ts";
import { socketFactory, toKafkajsAddress } from "./sockets.ts";
import { readTls, type TlsFiles, type TlsOptions } from "./tls_files.ts";

const log = logger("kafka");

/** How brokers are reached. */
export interface KafkaClientConfig {
  /** `host:port`, or `[IPv6]:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Undefined: without TLS. */
  readonly tls: TlsOptions | undefined;
  /** Undefined: without a login. */
  readonly sasl: Login | undefined;
}

/** How Kafka is reached, its certificates read from their files. */
export function clientOf(
  { kafka, tlsFiles }: {
    readonly kafka: Omit<KafkaClientConfig, "tls">;
    readonly tlsFiles: TlsFiles | undefined;
  },
): KafkaClientConfig {
  return { ...kafka, tls: readTls(tlsFiles) };
}

/** How often kafkajs tries before it says what is wrong: about a quarter of a minute. */
const RETRIES = 8;

/**
 * A kafkajs client. Nothing is connected yet.
 *
 * @param retries fewer for those who try again themselves.
 * @param quiet for those whose questions are answered by errors.
 */
export function createKafka(
  { brokers, clientId, tls, sasl }: KafkaClientConfig,
  retries: number = RETRIES,
  quiet: boolean = false,
): Kafka {
  patchRequestQueue();
  registerCodecs();
  patchCoordinatorErrors();
  patchTopicMetadata();
  patchGroupFetch(hooksOf);
  patchOffsetCommit();
  const config: KafkaConfig = {
    clientId,
    brokers: brokers.map(toKafkajsAddress),
    connectionTimeout: 5000,
    requestTimeout: 30_000,
    socketFactory: socketFactory(tls),
    retry: {
      initialRetryTime: 200,
      maxRetryTime: 3000,
      retries,
      // The source joins again by itself, after every error and not only after some.
      restartOnFailure: () => Promise.resolve(false),
    },
    logLevel: quiet ? logLevel.NOTHING : logLevel.INFO,
    logCreator: () => tell,
    ...(sasl === undefined ? {} : { sasl: toSasl(sasl, tls) }),
  };
  return new Kafka(config);
}

/** These tell of single requests and connections, each try anew; who asked for them hears of it, and says what counts. */
const REMARKS: ReadonlySet<string> = new Set(["Connection", "BrokerPool"]);

/** kafkajs tells of every retry as an error; for us they are remarks until a cause says otherwise. */
function tell({ level, namespace, log: { message, ...rest } }: LogEntry): void {
  const { timestamp: _timestamp, logger: _logger, stack: _stack, ...properties } = rest;
  const told = { ...properties, namespace, said: message };
  if (REMARKS.has(namespace)) log.debug("kafkajs", told);
  else if (level === logLevel.ERROR) log.warn("kafkajs", told);
  else if (level === logLevel.WARN) log.info("kafkajs", told);
  else log.debug("kafkajs", told);
}
