// Bad records on real Kafka: a consumer process beside stub workers, which answer good ones late and bad ones 502 at once.

import { Kafka, logLevel, type Producer } from "kafkajs";
import { type Child, startChild } from "../../support/processes/process.ts";
import type { Load, Played } from "./poison_model.ts";

/** What is played on a broker. */
export type KafkaLoad = Omit<Load, "outages" | "readyz" | "machine" | "seed"> & { readonly name: string };

/** What came of it. */
export type Measured = Pick<
  Played,
  "good" | "delivered" | "deadLetters" | "paused" | "p50Ms" | "p99Ms" | "posts"
>;

/** One record. */
export interface Ticket {
  readonly bad: boolean;
  /** When it was written, by the clock. */
  readonly atMs: number;
}

/** What workers settled. */
export interface Settled {
  /** Of each good record. */
  readonly tookMs: readonly number[];
  readonly posts: number;
}

/** The replicas that a load is played on. */
export interface PlayedWorkers {
  readonly urls: readonly string[];
  /** A record's value; ids count from 1, and the first record has 0. */
  readonly recordOf: (ticket: Ticket, id: number) => string;
  /** Resolves when the first record was settled, which is not counted. */
  readonly first: (consumer: Child) => Promise<void>;
  /** @param tickets by their ids less 1. */
  readonly settled: (tickets: readonly Ticket[]) => Promise<Settled>;
  readonly close: () => Promise<void>;
}

/** How long a consumer may take to read its first record, in ms. */
const READY_WITHIN_MS = 60_000;

/** Plays a load. `folder` holds the code whose consumer is started. The workers are closed at the end. */
export async function playOnKafka(
  load: KafkaLoad,
  brokers: string,
  folder: string,
  workers: PlayedWorkers = new StubWorkers(load.replicas),
): Promise<Measured> {
  const retry = { retries: 20 };
  const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry });
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  const topic = load.name.replace(/[^a-z0-9]+/gi, "-");
  await admin.createTopics({ topics: [{ topic, numPartitions: load.partitions }], waitForLeaders: false });
  try {
    await using consumer = startConsumer(brokers, topic, workers.urls, load.concurrency, folder);
    const pauses = new Pauses(consumer);
    await producer.send({
      topic,
      messages: [{ value: workers.recordOf({ bad: false, atMs: Date.now() }, 0) }],
    });
    await workers.first(consumer);
    pauses.begin();
    const tickets = await produceAll(producer, topic, load, workers);
    const good = tickets.filter(({ bad }) => !bad).length;
    return { ...figuresOf(await workers.settled(tickets)), ...pauses.figures(), good };
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect(), workers.close()]);
  }
}

function figuresOf(
  { tookMs, posts }: Settled,
): Pick<Measured, "delivered" | "p50Ms" | "p99Ms" | "posts"> {
  const took = tookMs.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(took[Math.floor(took.length * share)] ?? NaN);
  return { delivered: took.length, p50Ms: at(0.5), p99Ms: at(0.99), posts };
}

function startConsumer(
  brokers: string,
  topic: string,
  urls: readonly string[],
  concurrency: number,
  folder: string,
): Child {
  return startChild({
    name: topic,
    command: Deno.execPath(),
    args: ["run", "-A", "consumer/main.ts"],
    cwd: folder,
    env: {
      KAFKA_BROKERS: brokers,
      KAFKA_GROUP_ID: `group-${topic}`,
      KAFKA_TOPIC: topic,
      WORKER_URL: urls.join(","),
      WORKER_CONCURRENCY: String(concurrency),
      ADMIN_PORT: "0",
    },
  });
}

async function produceAll(
  producer: Producer,
  topic: string,
  load: KafkaLoad,
  workers: PlayedWorkers,
): Promise<readonly Ticket[]> {
  const { goodPerSecond, badPerSecond, burst, forMs } = load;
  const dueMs = (perSecond: number, bad: boolean) =>
    Array.from({ length: Math.floor(perSecond * forMs / 1000) }, (_, each) => ({
      bad,
      inMs: each * 1000 / perSecond,
    }));
  const due = [
    ...dueMs(goodPerSecond, false),
    ...dueMs(badPerSecond / burst, true).flatMap((one) => Array.from({ length: burst }, () => one)),
  ].sort((a, b) => a.inMs - b.inMs);
  const startedMs = Date.now();
  const tickets: Ticket[] = [];
  let id = 0;
  while (due.length > 0) {
    const elapsedMs = Date.now() - startedMs;
    const now = due.splice(0, due.findIndex(({ inMs }) => inMs > elapsedMs) >>> 0);
    const made = now.map(({ bad }): Ticket => ({ bad, atMs: Date.now() }));
    tickets.push(...made);
    const messages = made.map((ticket) => ({
      partition: id % load.partitions,
      value: workers.recordOf(ticket, ++id),
    }));
    if (messages.length > 0) await producer.send({ topic, messages });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, startedMs + forMs - Date.now())));
  return tickets;
}

/** Replicas in this process, and what they settled. */
class StubWorkers implements PlayedWorkers {
  readonly #servers: Deno.HttpServer<Deno.NetAddr>[];
  readonly #tookMs: Map<number, number> = new Map();
  readonly #first = Promise.withResolvers<void>();
  #posts = 0;

  constructor(replicas: number) {
    this.#servers = Array.from(
      { length: replicas },
      () => Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => this.#answer(request)),
    );
  }

  get urls(): readonly string[] {
    return this.#servers.map(({ addr }) => `http://127.0.0.1:${addr.port}`);
  }

  recordOf(ticket: Ticket, id: number): string {
    return JSON.stringify({ ...ticket, id });
  }

  async first(consumer: Child): Promise<void> {
    const timer = setTimeout(() => this.#first.reject(consumer.failure("reads nothing")), READY_WITHIN_MS);
    await this.#first.promise.finally(() => clearTimeout(timer));
    this.#tookMs.clear();
    this.#posts = 0;
  }

  settled(): Promise<Settled> {
    return Promise.resolve({ tookMs: [...this.#tookMs.values()], posts: this.#posts });
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.shutdown()));
  }

  async #answer(request: Request): Promise<Response> {
    if (request.method !== "POST") return new Response("ready");
    this.#posts += 1;
    const { bad, atMs, id } = await request.json() as Ticket & { readonly id: number };
    if (bad) return new Response("bad", { status: 502 });
    await new Promise((resolve) => setTimeout(resolve, 100 + 150 * Math.random()));
    this.#tookMs.set(id, Date.now() - atMs);
    this.#first.resolve();
    return Response.json({});
  }
}

/** What the consumer's log says of pauses and dead letters. */
class Pauses {
  #startedMs = Date.now();
  #sinceMs: number | undefined;
  #pausedMs = 0;
  #deadLetters = 0;

  constructor(consumer: Child) {
    consumer.onLine(({ fields: { message } }) => {
      if (message === "paused") this.#sinceMs ??= Date.now();
      if (message === "resumed") this.#resumed();
      if (message === "dead-lettered") this.#deadLetters += 1;
    });
  }

  begin(): void {
    this.#startedMs = Date.now();
  }

  figures(): Pick<Measured, "paused" | "deadLetters"> {
    this.#resumed();
    const paused = this.#pausedMs / (Date.now() - this.#startedMs);
    return { paused, deadLetters: this.#deadLetters };
  }

  #resumed(): void {
    if (this.#sinceMs !== undefined) this.#pausedMs += Date.now() - this.#sinceMs;
    this.#sinceMs = undefined;
  }
}
