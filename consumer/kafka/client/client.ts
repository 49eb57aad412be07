// createKafka() makes a kafkajs client: addresses, security, retries, our patches, and its log in ours.

import { Kafka, type KafkaConfig, type LogEntry, logLevel } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import { registerCodecs } from "./codecs.ts";
import { patchCoordinatorErrors } from "../kafkajs_patches/coordinator_errors.ts";
import { patchRequestQueue } from "../kafkajs_patches/request_queue.ts";
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

/** Retries before kafkajs reports an error: about 15 s. */
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
    logCreator: () => report,
    ...(sasl === undefined ? {} : { sasl: toSasl(sasl, tls) }),
  };
  return new Kafka(config);
}

/** kafkajs's parts that log every try of a request or a connection; whoever asked reports what matters. */
const CHATTY: ReadonlySet<string> = new Set(["Connection", "BrokerPool"]);

/** kafkajs logs every retry as an error; here it is one level lower. */
function report({ level, namespace, log: { message, ...rest } }: LogEntry): void {
  const { timestamp: _timestamp, logger: _logger, stack: _stack, ...properties } = rest;
  const reported = { ...properties, namespace, said: message };
  if (CHATTY.has(namespace)) log.debug("kafkajs", reported);
  else if (level === logLevel.ERROR) log.warn("kafkajs", reported);
  else if (level === logLevel.WARN) log.info("kafkajs", reported);
  else log.debug("kafkajs", reported);
}
