// A whole Ackpool for campaigns: migrated database, tickets, stub LLM, worker replicas and consumers, each a process
// of its own with the environment of a real deployment, and a counting proxy between every consumer and replica.

import { freePort } from "../../support/ports.ts";
import type { Child } from "../../support/processes/process.ts";
import { startChild } from "../../support/processes/process.ts";
import { until } from "../../support/until.ts";
import { CountingProxy } from "./counting_proxy.ts";
import { Journal } from "./journal.ts";
import { createDatabase, insertTickets, produceTickets } from "./load.ts";
import { Offsets } from "./offsets.ts";
import { runTask, startTask } from "./tasks.ts";

const STUB_LLM = new URL("../../support/workers/stub_llm.ts", import.meta.url).pathname;

/** What is deployed, and where. */
export interface DeploymentOptions {
  readonly brokers: string;
  /** Any database of the server; the deployment creates one of its own there. */
  readonly databaseUrl: string;
  readonly partitions: number;
  readonly replicas: number;
  /** Permits a replica. */
  readonly concurrency: number;
  /** Median latency of the stub LLM, with a heavy tail. */
  readonly latencyMs: number;
  /** Adds to every consumer's environment or replaces parts of it. */
  readonly consumerEnv?: Readonly<Record<string, string>>;
}

/** One worker replica: its port outlives its process. */
interface Replica {
  readonly port: number;
  process: Child | undefined;
}

/** A consumer process and the proxies it sends through. */
export interface Consumer {
  readonly name: string;
  readonly process: Child;
  readonly proxies: readonly CountingProxy[];
}

/** Everything a campaign runs against. `await using` ends all of it. */
export class Deployment implements AsyncDisposable {
  readonly journal = new Journal();
  readonly #stack = new AsyncDisposableStack();
  readonly #replicas: Replica[];
  readonly #proxies: CountingProxy[] = [];
  readonly #processes: Child[] = [];
  readonly #llmPort = freePort();
  #tickets = 0;

  private constructor(
    readonly options: DeploymentOptions,
    readonly topic: string,
    readonly databaseUrl: string,
    readonly offsets: Offsets,
  ) {
    this.#stack.use(offsets);
    this.#replicas = Array.from(
      { length: options.replicas },
      () => ({ port: freePort(), process: undefined }),
    );
  }

  /** Topic, database, stub LLM and replicas; no ticket and no consumer yet. */
  static async start(options: DeploymentOptions): Promise<Deployment> {
    const id = crypto.randomUUID().slice(0, 8);
    const databaseUrl = await createDatabase(options.databaseUrl, `campaign_${id}`);
    const offsets = await Offsets.connect(options.brokers);
    const deployment = new Deployment(options, `tickets-${id}`, databaseUrl, offsets);
    try {
      await deployment.#prepare();
      return deployment;
    } catch (error) {
      await deployment[Symbol.asyncDispose]();
      throw error;
    }
  }

  get groupId(): string {
    return "ticket-classifier";
  }

  get deadLetterTopic(): string {
    return `${this.topic}.${this.groupId}.dlq`;
  }

  /** Tickets fed so far. */
  get tickets(): number {
    return this.#tickets;
  }

  /** Inserts the rows of so many further tickets, then produces their records. */
  async feed(count: number): Promise<void> {
    const { topic, options: { brokers, partitions } } = this;
    const [from, to] = [this.#tickets + 1, this.#tickets + count];
    await insertTickets(this.databaseUrl, from, to);
    await produceTickets({ brokers, topic, partitions, from, to });
    this.#tickets = to;
  }

  /** Starts a consumer and waits until it answers on its admin port. */
  async startConsumer(name: string): Promise<Consumer> {
    const proxies = this.#replicas.map(({ port }, replica) =>
      this.#stack.use(new CountingProxy(port, name, replica, this.journal))
    );
    this.#proxies.push(...proxies);
    const adminPort = freePort();
    const process = this.#run("consumer", name, {
      KAFKA_BROKERS: this.options.brokers,
      KAFKA_TOPIC: this.topic,
      KAFKA_GROUP_ID: this.groupId,
      WORKER_URL: proxies.map(({ url }) => url).join(","),
      WORKER_CONCURRENCY: String(this.options.concurrency),
      ADMIN_PORT: String(adminPort),
      ...this.options.consumerEnv,
    });
    await answers(process, `http://127.0.0.1:${adminPort}/livez`);
    return { name, process, proxies };
  }

  /** Kills a consumer with -9; resolves when no byte it sent is under way any more. */
  async killConsumer({ name, process, proxies }: Consumer): Promise<void> {
    await process.end("SIGKILL");
    await until(
      `the end of ${name}'s connections`,
      () => proxies.every(({ connections }) => connections === 0),
    );
  }

  /** Kills a replica with -9; its port refuses connections from then on. */
  async killReplica(index: number): Promise<void> {
    const replica = this.#replica(index);
    this.#proxiesOf(replica).forEach((proxy) => proxy.close());
    await replica.process?.end("SIGKILL");
    replica.process = undefined;
  }

  /** Starts a replica and waits until it is ready. */
  async startReplica(index: number): Promise<void> {
    const replica = this.#replica(index);
    const process = this.#run("worker", `worker ${index}`, {
      PORT: String(replica.port),
      DATABASE_URL: this.databaseUrl,
      OPENAI_BASE_URL: `http://127.0.0.1:${this.#llmPort}/v1`,
      OPENAI_API_KEY: "stub",
      WORKER_CONCURRENCY: String(this.options.concurrency),
    });
    replica.process = process;
    await answers(process, `http://127.0.0.1:${replica.port}/readyz`);
    this.#proxiesOf(replica).forEach((proxy) => proxy.open());
  }

  /** Ends all replicas as a rollout does; each must exit 0. */
  async stopReplicas(): Promise<void> {
    for (const { process } of this.#replicas) {
      if (process !== undefined) await endCleanly(process);
    }
  }

  /** What every process wrote last, for when nothing moves any more. */
  diagnosis(): string {
    const state = ({ status }: Child) =>
      status === undefined ? "runs" : `ended: ${status.signal ?? status.code}`;
    const last = ({ lines }: Child) => lines.slice(-15).map(({ text }) => `    ${text}\n`).join("");
    const { journal, tickets } = this;
    return `${journal.posts.length} POSTs, ${journal.settled.size} of ${tickets} tickets settled\n` +
      this.#processes.map((process) => `  ${process.name} (${state(process)})\n${last(process)}`).join("");
  }

  /** Calls the LLM has had. */
  async llmCalls(): Promise<number> {
    const answer = await (await fetch(`http://127.0.0.1:${this.#llmPort}/calls`)).json();
    return typeof answer === "number" ? answer : Number(answer.calls);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #prepare(): Promise<void> {
    await this.offsets.createTopic(this.topic, this.options.partitions);
    await runTask("migrate", { DATABASE_URL: this.databaseUrl });
    await this.#startLlm();
    await Promise.all(this.#replicas.map((_, index) => this.startReplica(index)));
  }

  async #startLlm(): Promise<void> {
    const flags = ["--port", String(this.#llmPort), "--latency-ms", String(this.options.latencyMs), "--tail"];
    const args = ["run", "-A", STUB_LLM, ...flags];
    const llm = startChild({ name: "stub LLM", command: Deno.execPath(), args, linesMax: 100 });
    this.#stack.use(llm);
    await answers(llm, `http://127.0.0.1:${this.#llmPort}/calls`);
  }

  #run(task: string, name: string, env: Readonly<Record<string, string>>): Child {
    const process = this.#stack.use(startTask(task, name, env));
    this.#processes.push(process);
    return process;
  }

  #replica(index: number): Replica {
    const replica = this.#replicas[index];
    if (replica === undefined) throw new RangeError(`there is no replica ${index}`);
    return replica;
  }

  #proxiesOf(replica: Replica): CountingProxy[] {
    return this.#proxies.filter(({ upstreamPort }) => upstreamPort === replica.port);
  }
}

/** Sends SIGTERM and insists on exit code 0. */
export async function endCleanly(process: Child): Promise<void> {
  const { code } = await process.end("SIGTERM");
  if (code !== 0) throw process.failure("did not stop cleanly on SIGTERM");
}

/** Waits until a process answers 200 at `url`; fails at once when it ends. */
export async function answers(process: Child, url: string): Promise<void> {
  let ended = false;
  process.exit.then(() => ended = true);
  await until(`${process.name} at ${url}`, async () => {
    if (ended) return true;
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  }, { timeoutMs: 60_000, everyMs: 100 }).catch((error) => {
    throw process.failure(`does not answer 200 at ${url} (${error.cause ?? error.message})`);
  });
  if (ended) throw process.failure("ended at its start");
}
