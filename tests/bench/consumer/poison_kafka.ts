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

interface Ticket {
  readonly bad: boolean;
  readonly atMs: number;
}

/** How long a consumer may take to read its first record, in ms. */
const READY_WITHIN_MS = 60_000;

/** Plays a load. `folder` holds the code whose consumer is started. */
export async function playOnKafka(load: KafkaLoad, brokers: string, folder: string): Promise<Measured> {
  const retry = { retries: 20 };
  const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry });
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  const topic = load.name.replace(/[^a-z0-9]+/gi, "-");
  await admin.createTopics({ topics: [{ topic, numPartitions: load.partitions }], waitForLeaders: false });
  const workers = new StubWorkers(load.replicas);
  try {
    await using consumer = startConsumer(brokers, topic, workers.urls, load.concurrency, folder);
    const pauses = new Pauses(consumer);
    await producer.send({ topic, messages: [{ value: JSON.stringify({ bad: false, atMs: Date.now() }) }] });
    await workers.first(consumer);
    pauses.begin();
    const tickets = await produceAll(producer, topic, load);
    return { ...workers.figures(), ...pauses.figures(), good: tickets.filter(({ bad }) => !bad).length };
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect(), workers.close()]);
  }
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

async function produceAll(producer: Producer, topic: string, load: KafkaLoad): Promise<readonly Ticket[]> {
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
  let partition = 0;
  while (due.length > 0) {
    const elapsedMs = Date.now() - startedMs;
    const now = due.splice(0, due.findIndex(({ inMs }) => inMs > elapsedMs) >>> 0);
    const made = now.map(({ bad }): Ticket => ({ bad, atMs: Date.now() }));
    tickets.push(...made);
    const messages = made.map((ticket) => ({
      value: JSON.stringify({ ...ticket, id: partition }),
      partition: partition++ % load.partitions,
    }));
    if (messages.length > 0) await producer.send({ topic, messages });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, startedMs + forMs - Date.now())));
  return tickets;
}

/** Replicas in this process, and what they settled. */
class StubWorkers {
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

  /** Resolves when the first record was settled, which is not counted. */
  async first(consumer: Child): Promise<void> {
    const timer = setTimeout(() => this.#first.reject(consumer.failure("reads nothing")), READY_WITHIN_MS);
    await this.#first.promise.finally(() => clearTimeout(timer));
    this.#tookMs.clear();
    this.#posts = 0;
  }

  figures(): Pick<Measured, "delivered" | "p50Ms" | "p99Ms" | "posts"> {
    const took = [...this.#tookMs.values()].sort((a, b) => a - b);
    const at = (share: number) => Math.round(took[Math.floor(took.length * share)] ?? NaN);
    return { delivered: took.length, p50Ms: at(0.5), p99Ms: at(0.99), posts: this.#posts };
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
