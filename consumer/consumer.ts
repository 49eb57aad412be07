// Consumer: builds its parts, starts them in order, waits for the end of the run and closes them again.

import { monotonicMs } from "../shared/clock.ts";
import type { Kafka } from "kafkajs";
import type { Cause } from "../shared/http/health.ts";
import { logger } from "../shared/log.ts";
import { Pool } from "../shared/pool/pool.ts";
import { serve } from "../shared/process/serve.ts";
import { pause, within } from "../shared/wait.ts";
import { createAdmin, createHealth, type HealthDeps } from "./admin/app.ts";
import type { DeadLetterCommands } from "./admin/dead_letters.ts";
import type { ConsumerConfig } from "./config.ts";
import { FlowControl } from "./flow/flow_control.ts";
import type { FlowStore } from "./flow/flow_store.ts";
import { TooMuchToKeep } from "./flow/refusals.ts";
import { GroupNotes, NoteTooLong } from "./kafka/group/group_notes.ts";
import { type Scale, scaleOf } from "./core/scale.ts";
import { DeadLetterOperations } from "./dead_letter_operations.ts";
import { ParkingReader } from "./dead_letters/parking_reader.ts";
import { clientOf, createKafka, type KafkaClientConfig } from "./kafka/client/client.ts";
import { MembershipStatus } from "./kafka/group/membership_status.ts";
import { FlowMemory } from "./page/memory/flow_memory.ts";
import { KafkaSource } from "./kafka/group/source.ts";
import { DeadLetterProducer } from "./kafka/producers/dead_letter_producer.ts";
import { GroupOffsets } from "./kafka/readers/group_offsets.ts";
import { TopicReader } from "./kafka/readers/topic_reader.ts";
import { AclProbe } from "./kafka/topics/acl_probe.ts";
import { type ReadTopic, TopicWatch } from "./kafka/topics/topic_watch.ts";
import { ConsumerMetrics } from "./metrics/consumer_metrics.ts";
import { sidesOf, type SideTopicNames } from "./records/topic_names.ts";
import { type RunEnd, Runtime } from "./runtime.ts";
import type { Sender } from "./senders/sender.ts";
import { UNREADABLE_BATCH } from "./dead_letters/letter.ts";
import { LetterWriter } from "./dead_letters/letter_writer.ts";
import { refusalOf } from "./kafka/client/refusals.ts";
import { DecisionFeed } from "./decision_feed.ts";
import { Observer } from "./observer.ts";
import { withOrigins } from "./dead_letters/replay_origins.ts";
import { Signatures } from "./dead_letters/signatures.ts";
import { checkingReader, signingProducer } from "./dead_letters/signed_ports.ts";
import { RecordOperations } from "./record_operations.ts";

const log = logger("consumer");

/** How long all parts together may take to end, in ms. */
const CLOSE_LIMIT_MS = 2000;

/** What there is to know where nothing proves who wrote to the side topics. */
const OPEN_SIDE_TOPICS =
  "whoever may write to the dead-letter and retry topics can hide dead letters and say where records came from";

/** What a consumer is made of. */
export interface ConsumerParts {
  readonly config: Omit<ConsumerConfig, "kafka" | "tlsFiles" | "pool" | "adminPort" | "healthPort">;
  readonly client: KafkaClientConfig;
  readonly sender: Sender;
  /** What the log calls the sender. */
  readonly workers: readonly string[];
  /** Undefined: no admin side; 0: any port. */
  readonly adminPort: number | undefined;
  /** Health alone, for those who may not reach the admin side; undefined: nowhere else. */
  readonly healthPort?: number | undefined;
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

/** The parts that the configuration says: Kafka with its certificates read, and a pool that is not started yet. */
export function partsOf(config: ConsumerConfig): ConsumerParts {
  const { pool, adminPort, healthPort } = config;
  return {
    config,
    client: clientOf(config),
    sender: new Pool(pool),
    workers: pool.urls.map((url) => url.href),
    adminPort,
    healthPort,
    concurrency: pool.concurrency,
  };
}

/**
 * Runs one consumer. Where `stopping` has fired already nothing is begun.
 *
 * @throws {StartError} when Kafka refuses it at its start, or the admin port is taken.
 */
export async function runConsumer(parts: ConsumerParts, stopping: AbortSignal): Promise<ConsumerSummary> {
  const startedMs = performance.now();
  if (stopping.aborted) {
    await parts.sender.close();
    return { clean: true, idle: false, settled: 0, deadLettered: 0, retries: 0, elapsedMs: 0 };
  }
  const run = new ConsumerRun(parts, stopping);
  let end: RunEnd;
  try {
    end = await run.end();
  } finally {
    await run.close();
  }
  log.info("stopped", { clean: end.clean, idle: end.idle });
  return { ...end, ...await run.counts(), elapsedMs: Math.round(performance.now() - startedMs) };
}

/** The parts of one run. The source feeds the runtime, and the runtime pauses and commits through the source. */
class ConsumerRun {
  readonly #parts: ConsumerParts;
  readonly #stopping: AbortSignal;
  readonly #kafka: Kafka;
  readonly #fewRetriesKafka: Kafka;
  readonly #metrics = new ConsumerMetrics();
  readonly #membership = new MembershipStatus(monotonicMs);
  readonly #watch: TopicWatch;
  readonly #deadLetters: DeadLetterProducer;
  readonly #letters: LetterWriter;
  readonly #signatures: Signatures;
  readonly #operations: DeadLetterOperations;
  readonly #runtime: Runtime;
  readonly #observer: Observer;
  readonly #decisions = new DecisionFeed();
  readonly #memory = new FlowMemory();
  readonly #closing = new AbortController();
  readonly #offsets: GroupOffsets;
  readonly #flow: FlowControl;
  readonly #parking: ParkingReader | undefined;
  /** Created once a topic exists. */
  #source: KafkaSource | undefined;
  #admin: Deno.HttpServer<Deno.NetAddr> | undefined;
  #healthServer: Deno.HttpServer<Deno.NetAddr> | undefined;

  constructor(parts: ConsumerParts, stopping: AbortSignal) {
    const { config, client } = parts;
    this.#parts = parts;
    this.#stopping = stopping;
    this.#kafka = createKafka(client);
    this.#fewRetriesKafka = createKafka(client, 1);
    const rights = new AclProbe(createKafka(client, 1, true));
    this.#watch = new TopicWatch(this.#fewRetriesKafka, rights, config, stopping);
    this.#deadLetters = new DeadLetterProducer(this.#kafka);
    this.#signatures = new Signatures(config.deadLetterSecrets);
    const producer = signingProducer(this.#deadLetters, this.#signatures);
    this.#letters = new LetterWriter(producer, sidesOf(config), monotonicMs);
    this.#operations = new DeadLetterOperations(this.#kafka, config, this.#signatures);
    this.#runtime = this.#createRuntime();
    this.#parking = config.machine.parkKeys
      ? createParkingReader(this.#kafka, sidesOf(config), this.#runtime, this.#signatures)
      : undefined;
    this.#offsets = new GroupOffsets(this.#fewRetriesKafka);
    this.#flow = new FlowControl({
      store: createFlowStore(this.#fewRetriesKafka, config.source.groupId),
      topics: () => this.#watch.topics,
      countPartitions: (topic) => this.#offsets.partitions(topic),
      apply: (flow) => this.#runtime.feed({ type: "flow_changed", flow }),
      view: () => this.#runtime.view,
      ratePerSecond: config.ratePerSecond,
      nowMs: monotonicMs,
      dayMs: Date.now,
    });
    this.#observer = new Observer({
      group: config.source.groupId,
      causes: () => this.#causes(),
      view: () => this.#runtime.view,
      settled: () => this.#runtime.settled,
      pool: parts.sender,
      replicaStates: this.#memory.replicas,
      lookForReady: () => this.#runtime.lookForReady(),
      dayMs: Date.now,
    });
    this.#metrics.observe({
      view: () => this.#runtime.view,
      pool: parts.sender,
      causes: () => this.#causes(),
      scale: () => this.#scale(),
    });
  }

  /** Starts everything, and resolves when the machine has stopped. */
  async end(): Promise<RunEnd> {
    const { sender, workers } = this.#parts;
    this.#admin = this.#serveAdmin();
    this.#healthServer = this.#serveHealth();
    if (this.#parts.config.deadLetterSecrets.length === 0) {
      log.info("DEAD_LETTER_SECRET is not set", { open: OPEN_SIDE_TOPICS });
    }
    log.info("listening", { port: this.#admin?.addr.port, pool: workers });
    this.#stopping.addEventListener("abort", () => this.#runtime.stop(), { once: true });
    await sender.start();
    this.#runtime.start();
    this.#observer.start();
    const topics = await this.#watch.first((awaited) => this.#membership.waiting(awaited));
    await this.#flow.first((why) => this.#membership.waiting({ kind: "brokers", why }), this.#stopping);
    if (topics !== undefined) this.#join(topics);
    return await this.#runtime.ended;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#observer.close();
    await this.#source?.stop();
    const closing = [
      this.#parking?.close(),
      this.#flow.close(),
      this.#offsets.close(),
      this.#deadLetters.close(),
      this.#operations.close(),
      this.#parts.sender.close(),
      this.#watch.close(),
      this.#admin?.shutdown(),
      this.#healthServer?.shutdown(),
    ];
    await within(CLOSE_LIMIT_MS, Promise.all(closing));
  }

  async counts(): Promise<Pick<ConsumerSummary, "settled" | "deadLettered" | "retries">> {
    const { settled, deadLetters, retries } = this.#metrics;
    const sum = async (counter: Pick<typeof settled, "get">) =>
      (await counter.get()).values.reduce((sum, { value }) => sum + value, 0);
    return { settled: await sum(settled), deadLettered: await sum(deadLetters), retries: await sum(retries) };
  }

  #createRuntime(): Runtime {
    const { config, sender } = this.#parts;
    return new Runtime(config.machine, config.timeoutMs, {
      pool: sender,
      metrics: this.#metrics,
      decisions: this.#decisions,
      ...(this.#parts.adminPort === undefined ? {} : { memory: this.#memory }),
      deadLetters: {
        write: async (delivery, nowMs) => {
          try {
            return await this.#letters.write(delivery, nowMs);
          } catch (error) {
            this.#watch.doubtDeadLetters();
            throw error;
          }
        },
      },
      source: {
        pause: (at) => this.#source?.pause(at),
        resume: (at) => this.#source?.resume(at),
        commit: (marks) => this.#source?.commit(marks) ?? Promise.reject(new Error("Not joined yet")),
      },
    });
  }

  #join(topics: readonly ReadTopic[]): void {
    const { config } = this.#parts;
    const joined = new KafkaSource(this.#kafka, this.#fewRetriesKafka, { ...config.source, topics }, {
      onEvent: (event) => {
        this.#parking?.follow(event);
        this.#runtime.feed(withOrigins(event, sidesOf(config), this.#signatures));
      },
      onJoined: () => this.#membership.joined(),
      onLost: (error) => this.#membership.lost(error, this.#watch.missingRights()),
      onUnread: async (range) => {
        await this.#letters.writeUnread(range, Date.now());
        this.#metrics.deadLetters.inc({ reason: UNREADABLE_BATCH });
      },
      onReset: ({ topic }) => this.#metrics.offsetResets.inc({ topic }),
    });
    this.#source = joined;
    joined.start();
    this.#parking?.start();
    this.#flow.follow();
    this.#watch.follow((topics) => joined.subscribe(topics), (topic) => joined.restart(topic));
  }

  #serveHealth(): Deno.HttpServer<Deno.NetAddr> | undefined {
    const { healthPort, config } = this.#parts;
    if (healthPort === undefined) return undefined;
    return serve(healthPort, "HEALTH_PORT", createHealth(this.#health()).fetch, config.host);
  }

  #health(): HealthDeps {
    return {
      causes: () => this.#causes(),
      notes: () => [...this.#watch.notes(), ...this.#letters.notes(), ...this.#signatures.notes()],
      registry: this.#metrics.registry,
      scale: () => this.#scale(),
    };
  }

  #serveAdmin(): Deno.HttpServer<Deno.NetAddr> | undefined {
    const { adminPort, config } = this.#parts;
    if (adminPort === undefined) return undefined;
    const admin = createAdmin({
      ...this.#health(),
      token: config.adminToken,
      deadLetters: this.#deadLetterCommands(),
      records: new RecordOperations(this.#runtime, () => this.#causes()),
      parked: () => this.#runtime.view,
      why: () => this.#observer.why(),
      tail: { subscribe: (wants) => this.#decisions.subscribe(wants), closing: this.#closing.signal },
      page: {
        group: config.source.groupId,
        why: () => this.#observer.why(),
        samples: () => this.#observer.history.samples(),
        view: () => this.#runtime.view,
        pool: this.#parts.sender,
        memory: this.#memory,
        flow: () => this.#flow.now(),
        nowMs: Date.now,
        asksForToken: config.adminToken !== undefined,
        closing: this.#closing.signal,
      },
      flow: this.#flow,
    });
    return serve(adminPort, "ADMIN_PORT", admin.fetch, config.adminHost);
  }

  /** For a cause that is in both lists, `known` wins because it carries the reason. */
  #causes(): readonly Cause[] {
    const known = [...this.#flow.causes(), ...this.#watch.causes(), ...this.#letters.causes()];
    const names = new Set(known.map(({ name }) => name));
    const seen = this.#runtime.causes().filter(({ name }) => !names.has(name));
    const source = this.#source?.causes() ?? [];
    return [...this.#membership.causes(), ...source, ...this.#parking?.causes() ?? [], ...known, ...seen];
  }

  #scale(): Scale {
    const { config, concurrency, sender } = this.#parts;
    const { view, permitMs } = this.#runtime;
    const replicas = sender.replicas.filter((replica) => replica.permits(monotonicMs()) > 0).length;
    const facts = { bounds: config.scale, permitsPerReplica: concurrency, permitMs, replicas };
    return scaleOf(view, facts, Date.now());
  }

  #deadLetterCommands(): DeadLetterCommands {
    return {
      list: (request, signal) => this.#operations.list(request, signal),
      findOne: (at, signal) => this.#operations.findOne(at, signal),
      replay: (request, progress, signal) => this.#operations.replay(request, progress, signal),
      drop: (request, signal) => this.#operations.drop(request, signal),
      allow: (count) => {
        log.warn("dead letters allowed", { count });
        this.#runtime.feed({ type: "dead_letters_allowed", count });
      },
      replaysMax: this.#parts.config.replaysMax,
      isKafkaAway: (error) => error.name.startsWith("KafkaJS") || refusalOf(error) !== undefined,
    };
  }
}

/** Keeps what operators set, beside the group's own commits. */
function createFlowStore(kafka: Kafka, groupId: string): FlowStore {
  const notes = new GroupNotes(kafka, groupId, "flow");
  return {
    read: (topics) => notes.read(topics),
    write: async (topics, stored) => {
      try {
        await notes.write(topics, stored);
      } catch (error) {
        if (!(error instanceof NoteTooLong)) throw error;
        throw new TooMuchToKeep(`${error.message}: pause whole topics instead of many partitions`);
      }
    },
    close: () => notes.close(),
  };
}

/** Reads for `PARK_KEYS`. */
function createParkingReader(
  kafka: Kafka,
  names: SideTopicNames,
  runtime: Pick<Runtime, "feed" | "view">,
  signatures: Signatures,
): ParkingReader {
  const offsets = new GroupOffsets(kafka);
  const reader = new TopicReader(kafka);
  return new ParkingReader(names, {
    offsets,
    reader: () => checkingReader(reader, signatures),
    feed: (event) => runtime.feed(event),
    parked: () =>
      new Set(runtime.view.partitions.filter(({ parkedKeyCount }) => parkedKeyCount > 0).map(({ id }) => id)),
    nowMs: monotonicMs,
    pause,
    close: () => Promise.all([reader.close(), offsets.close()]),
  });
}
