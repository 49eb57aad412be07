// What the pool campaigns run on: one consumer, real workers at loopback addresses with one port, and a name server
// that says which of them are behind the name.

import { type DnsServer, startDnsServer } from "../../../local/embedded/dns/server.ts";
import { freePort } from "../../support/ports.ts";
import type { Child } from "../../support/processes/process.ts";
import { until } from "../../support/until.ts";
import { answers, endCleanly } from "../stage/deployment.ts";
import { Journal } from "../stage/journal.ts";
import { createDatabase, insertTickets, produceTickets } from "../stage/load.ts";
import { Offsets } from "../stage/offsets.ts";
import { PoolReplica } from "./replica.ts";
import { runTask, startTask } from "../stage/tasks.ts";

const NAME = "workers.test";
const GROUP = "ticket-classifier";
const PARTITIONS = 8;
/** What a replica may take beside the slowest sleep before an attempt counts as lost. */
const OVERHEAD_MS = 4_000;

/** How large the pool is and what its LLM takes. */
export interface PoolStageOptions {
  readonly brokers: string;
  readonly databaseUrl: string;
  /** Replicas there are; all of them run from the beginning. */
  readonly replicas: number;
  /** Permits a replica. */
  readonly concurrency: number;
  /** Mean time of the LLM's sleep. */
  readonly sleepMs: number;
  /** The longest sleep the campaign asks for. */
  readonly sleepMaxMs: number;
  readonly report: (what: string) => void;
}

/**
 * One consumer, real workers that share a port on loopback addresses, and a DNS server that names them.
 * `await using` ends all of it.
 */
export class PoolStage implements AsyncDisposable {
  readonly journal = new Journal();
  readonly #stack = new AsyncDisposableStack();
  #replicas: readonly PoolReplica[] = [];
  #consumer: Child | undefined;
  #tickets = 0;

  private constructor(
    readonly options: PoolStageOptions,
    readonly topic: string,
    readonly databaseUrl: string,
    readonly offsets: Offsets,
    readonly names: DnsServer,
    private readonly port: number,
  ) {
    this.#stack.use(offsets);
    this.#stack.use(names);
  }

  /** Topic, database, replicas, and a consumer that finds the first `named` of them; no ticket yet. */
  static async start(options: PoolStageOptions, named: number): Promise<PoolStage> {
    const id = crypto.randomUUID().slice(0, 8);
    const databaseUrl = await createDatabase(options.databaseUrl, `pool_${id}`);
    const offsets = await Offsets.connect(options.brokers);
    const [topic, names] = [`tickets-${id}`, await startDnsServer()];
    const stage = new PoolStage(options, topic, databaseUrl, offsets, names, freePort());
    try {
      await stage.#prepare(named);
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Tickets fed so far. */
  get tickets(): number {
    return this.#tickets;
  }

  /** Calls all LLMs have had. */
  get llmCalls(): number {
    return this.#replicas.reduce((sum, { llmCalls }) => sum + llmCalls, 0);
  }

  /** Dead letters so far. */
  async deadLetters(): Promise<number> {
    return await this.offsets.count(`${this.topic}.${GROUP}.dlq`);
  }

  /** Records that are not committed. */
  async lag(): Promise<number> {
    return await this.offsets.lag(this.topic, GROUP);
  }

  /** @throws {RangeError} when there is no such replica. */
  replica(index: number): PoolReplica {
    const replica = this.#replicas[index];
    if (replica === undefined) throw new RangeError(`there is no replica ${index}`);
    return replica;
  }

  /** Inserts the rows of so many further tickets, then produces their records. */
  async feed(count: number): Promise<void> {
    const [from, to] = [this.#tickets + 1, this.#tickets + count];
    await insertTickets(this.databaseUrl, from, to);
    const { brokers } = this.options;
    await produceTickets({ brokers, topic: this.topic, partitions: PARTITIONS, from, to });
    this.#tickets = to;
  }

  /** Sets which replicas are behind the name, and resolves when the consumer has looked it up; with that time, in ms. */
  async name(indices: readonly number[], answers = 1): Promise<number> {
    const answered = this.names.answered;
    const addresses = indices.map((index) => this.replica(index).hostname);
    this.names.set(addresses.map((address) => ({ name: NAME, type: "A", address })));
    if (this.#consumer !== undefined) {
      await until("a look-up of the name", () => this.names.answered >= answered + answers, { everyMs: 5 });
    }
    return Date.now();
  }

  /** Ends the consumer and the replicas as a rollout does; each must exit 0. */
  async stop(): Promise<void> {
    if (this.#consumer !== undefined) await endCleanly(this.#consumer);
    await Promise.all(this.#replicas.map((replica) => replica.drain()));
  }

  /** What the consumer wrote last, for when nothing moves any more. */
  diagnosis(): string {
    const last = this.#consumer?.lines.slice(-20).map(({ text }) => `  ${text}\n`).join("") ?? "";
    const { journal, tickets } = this;
    return `${journal.posts.length} POSTs, ${journal.settled.size} of ${tickets} tickets settled\n${last}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #prepare(named: number): Promise<void> {
    const { replicas, concurrency, sleepMs, report } = this.options;
    report(`migrating, starting ${replicas} workers`);
    await this.offsets.createTopic(this.topic, PARTITIONS);
    await runTask("migrate", { DATABASE_URL: this.databaseUrl });
    const { databaseUrl, journal, port } = this;
    this.#replicas = Array.from({ length: replicas }, (_, index) =>
      this.#stack.use(
        new PoolReplica({
          index,
          hostname: `127.0.1.${index + 1}`,
          port,
          databaseUrl,
          concurrency,
          sleepMs,
          journal,
        }),
      ));
    for (const replica of this.#replicas) await replica.start();
    await this.name(Array.from({ length: named }, (_, index) => index));
    await this.#startConsumer();
  }

  async #startConsumer(): Promise<void> {
    const { brokers, concurrency, sleepMaxMs } = this.options;
    const adminPort = freePort();
    const consumer = startTask("consumer", "consumer", {
      KAFKA_BROKERS: brokers,
      KAFKA_TOPIC: this.topic,
      KAFKA_GROUP_ID: GROUP,
      WORKER_URL: `http://${NAME}:${this.port}`,
      WORKER_DNS_SERVER: this.names.address,
      WORKER_CONCURRENCY: String(concurrency),
      WORKER_TIMEOUT_MS: String(sleepMaxMs * 1.25 + OVERHEAD_MS),
      ADMIN_PORT: String(adminPort),
    });
    this.#stack.use(consumer);
    await answers(consumer, `http://127.0.0.1:${adminPort}/livez`);
    this.#consumer = consumer;
  }
}
