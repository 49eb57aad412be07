// Puts the parts of a consumer together, runs them until it is told to stop or nothing is left to do, and ends them.

import type { Cause } from "../shared/http/health.ts";
import { logger } from "../shared/log.ts";
import { outcomeLabel } from "../shared/contract/outcome.ts";
import { serve } from "../shared/process/serve.ts";
import { createAdmin } from "./admin/app.ts";
import type { DeadLetterCommands } from "./admin/dead_letters.ts";
import type { RecordOperations } from "./admin/records.ts";
import { type Scale, scaleOf } from "./core/scale.ts";
import { MembershipStatus } from "./kafka/group/membership_status.ts";
import type { ConsumerConfig } from "./config.ts";
import { DeadLetterOperations } from "./dead_letter_operations.ts";
import { createKafka, type KafkaClientConfig } from "./kafka/client/client.ts";
import { DeadLetterProducer } from "./kafka/producers/dead_letter_producer.ts";
import { within } from "../shared/wait.ts";
import { AclProbe } from "./kafka/topics/acl_probe.ts";
import { KafkaSource } from "./kafka/group/source.ts";
import { TopicWatch } from "./kafka/topics/topic_watch.ts";
import { letterReading } from "./letter_reading.ts";
import { ConsumerMetrics } from "./metrics/consumer_metrics.ts";
import { monotonicMs, type RunEnd, Runtime } from "./runtime.ts";
import type { Sender } from "./senders/sender.ts";

const log = logger("consumer");

/** How long each part may take to end, in ms. */
const CLOSE_LIMIT_MS = 2000;

/** What a consumer is made of. */
export interface ConsumerParts {
  readonly config: Omit<ConsumerConfig, "kafka" | "tlsFiles" | "pool" | "adminPort">;
  readonly client: KafkaClientConfig;
  readonly sender: Sender;
  /** What the log calls the sender. */
  readonly workers: readonly string[];
  /** Undefined: no admin side; 0: any port. */
  readonly adminPort: number | undefined;
  /** Permits a replica has at most, for the scale. */
  readonly concurrency: number;
}

/** What a run came to. */
export interface ConsumerSummary {
  /** Everything in flight was finished and committed. */
  readonly clean: boolean;
  /** It ended by itself, for want of records. */
  readonly idle: boolean;
  /** Records settled, those that were dead-lettered included. */
  readonly settled: number;
  readonly deadLettered: number;
  readonly retries: number;
  readonly elapsedMs: number;
}

/**
 * Runs one consumer.
 *
 * @throws {StartError} when Kafka refuses it at its start, or the admin port is taken.
 */
export async function runConsumer(parts: ConsumerParts, stopping: AbortSignal): Promise<ConsumerSummary> {
  const { config, client, sender } = parts;
  const startedMs = performance.now();
  const kafka = createKafka(client);
  const impatient = createKafka(client, 1);
  const metrics = new ConsumerMetrics();
  const { source: { groupId }, deadLetterTopic, retryTopic } = config;
  const deadLetters = new DeadLetterProducer(kafka, { groupId, deadLetterTopic, retryTopic });
  const operations = new DeadLetterOperations(kafka, config);
  const membership = new MembershipStatus(monotonicMs);
  const rights = new AclProbe(createKafka(client, 1, true));
  const watch = new TopicWatch(impatient, rights, config, stopping);
  // The source needs the runtime's ear and the runtime the source's hands; it comes when the topics are there.
  let source: KafkaSource | undefined;
  const runtime = new Runtime(config.machine, config.timeoutMs, {
    pool: sender,
    deadLetters: {
      write: async (delivery, nowMs) => {
        try {
          return await deadLetters.write(delivery, nowMs);
        } catch (error) {
          watch.doubtDeadLetters();
          throw error;
        }
      },
    },
    metrics,
    source: {
      pause: (at) => source?.pause(at),
      resume: (at) => source?.resume(at),
      commit: (marks) => source?.commit(marks) ?? Promise.reject(new Error("Not joined yet")),
    },
  });
  const letters = config.machine.parkKeys ? letterReading(kafka, config, runtime) : undefined;
  const causes = () => [
    ...membership.causes(),
    ...letters?.causes() ?? [],
    ...explained(runtime.causes(), watch.causes()),
  ];
  const scale = () => readScale(parts, runtime);
  metrics.observe({ view: () => runtime.view, pool: sender, causes, scale });
  const admin = parts.adminPort === undefined ? undefined : serve(
    parts.adminPort,
    "ADMIN_PORT",
    createAdmin({
      causes,
      registry: metrics.registry,
      scale,
      deadLetters: commandsOf(operations, parts, runtime),
      records: recordsOf(runtime),
      parked: () => runtime.view,
    }).fetch,
    parts.config.host,
  );
  log.info("listening", { port: admin?.addr.port, pool: parts.workers });
  let end: RunEnd;
  try {
    stopping.addEventListener("abort", () => runtime.stop(), { once: true });
    await sender.start();
    runtime.start();
    const topics = await watch.first((awaited) => membership.waiting(awaited));
    if (topics !== undefined) {
      const joined = source = new KafkaSource(kafka, impatient, { ...config.source, topics }, {
        onEvent: (event) => runtime.feed(letters?.follow(event) ?? event),
        onJoined: () => membership.joined(),
        onLost: (error) => membership.lost(error, watch.missingRights()),
        onReset: ({ topic }) => metrics.offsetResets.inc({ topic }),
      });
      source.start();
      letters?.start();
      watch.follow((topics) => joined.subscribe(topics));
    }
    end = await runtime.ended;
  } finally {
    await source?.stop();
    await within(
      CLOSE_LIMIT_MS,
      Promise.all([
        letters?.close(),
        deadLetters.close(),
        operations.close(),
        sender.close(),
        watch.close(),
        admin?.shutdown(),
      ]),
    );
  }
  log.info("stopped", { clean: end.clean, idle: end.idle });
  return { ...end, ...await counted(metrics), elapsedMs: Math.round(performance.now() - startedMs) };
}

/** Both; where they have the same cause, the words of those who know why. */
function explained(seen: readonly Cause[], known: readonly Cause[]): readonly Cause[] {
  const names = new Set(known.map(({ name }) => name));
  return [...known, ...seen.filter(({ name }) => !names.has(name))];
}

async function counted(
  { settled, deadLetters, retries }: ConsumerMetrics,
): Promise<Pick<ConsumerSummary, "settled" | "deadLettered" | "retries">> {
  const [all, dead, again] = await Promise.all([settled, deadLetters, retries].map(async (counter) => {
    const { values } = await counter.get();
    return values.reduce((sum, { value }) => sum + value, 0);
  }));
  return { settled: all ?? 0, deadLettered: dead ?? 0, retries: again ?? 0 };
}

function readScale({ config, concurrency, sender }: ConsumerParts, { view, permitMs }: Runtime): Scale {
  const replicas = sender.replicas.filter((replica) => replica.permits(Date.now()) > 0).length;
  const facts = { bounds: config.scale, permitsPerReplica: concurrency, permitMs, replicas };
  return scaleOf(view, facts, Date.now());
}

function recordsOf(runtime: Runtime): RecordOperations {
  return {
    look({ offset, ...at }) {
      const held = runtime.find(at, offset);
      if (held === undefined) return undefined;
      const { state, attemptsCounted, attemptsSent, lastOutcome } = held;
      return {
        state,
        attempts: attemptsCounted,
        posts: attemptsSent,
        last: lastOutcome === undefined ? null : outcomeLabel(lastOutcome),
      };
    },
    take: ({ offset, ...at }) => runtime.take(at, offset),
  };
}

function commandsOf(
  operations: DeadLetterOperations,
  { config: { replaysMax } }: ConsumerParts,
  runtime: Runtime,
): DeadLetterCommands {
  return {
    list: (...args) => operations.list(...args),
    findOne: (...args) => operations.findOne(...args),
    replay: (...args) => operations.replay(...args),
    drop: (...args) => operations.drop(...args),
    allow: (count) => {
      log.warn("dead letters allowed", { count });
      runtime.feed({ type: "dead_letters_allowed", count });
    },
    replaysMax,
  };
}
