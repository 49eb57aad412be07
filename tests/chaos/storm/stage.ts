// The stage of a storm: three brokers, PostgreSQL, workers and consumers, and a wire to break between every two of them.

import { freePort } from "../../support/ports.ts";
import { CutWire } from "../../support/cut_wire.ts";
import type { Child } from "../../support/processes/process.ts";
import { RealCluster } from "../../support/kafka/real_cluster.ts";
import { RealPostgres } from "../../support/postgres/real_postgres.ts";
import type { Report } from "../../support/processes/real_install.ts";
import { CountingProxy } from "../stage/counting_proxy.ts";
import { answers } from "../stage/deployment.ts";
import { Journal } from "../stage/journal.ts";
import { runTask, startTask } from "../stage/tasks.ts";
import { LoggedModel } from "./model.ts";

/** What is on the stage. */
export interface StageOptions {
  readonly partitions: number;
  readonly replicas: number;
  readonly concurrency: number;
  readonly latencyMs: number;
  readonly mode: string;
  /** A checkout of the version before, installed. */
  readonly before: string | undefined;
  readonly report: Report;
}

/** A program that can be killed and started again in its place. */
export interface Actor {
  readonly name: string;
  process: Child;
}

/** A worker's place: its port and wire outlive its process. */
interface WorkerPlace extends Actor {
  readonly port: number;
  readonly wire: CutWire;
}

const TOPIC = "support-tickets";
const GROUP = "ticket-classifier";

/** Everything a storm runs against. `await using` ends all of it. */
export class StormStage implements AsyncDisposable {
  readonly topic = TOPIC;
  readonly groupId = GROUP;
  readonly journal = new Journal();
  readonly workers: WorkerPlace[] = [];
  readonly consumers: Actor[] = [];
  readonly #proxies: CountingProxy[] = [];
  readonly #stack = new AsyncDisposableStack();
  #joined = 0;

  private constructor(
    readonly options: StageOptions,
    readonly kafka: RealCluster,
    readonly database: RealPostgres,
    readonly databaseWire: CutWire,
    readonly model: LoggedModel,
    readonly modelWire: CutWire,
  ) {}

  /** Starts everything but the consumers; the database is migrated and watched. */
  static async start(options: StageOptions): Promise<StormStage> {
    await using stack = new AsyncDisposableStack();
    options.report("starting PostgreSQL");
    const database = stack.use(await RealPostgres.start({ report: options.report }));
    options.report("starting three brokers");
    const kafka = stack.use(
      await RealCluster.start(3, {
        partitions: options.partitions,
        properties: { "default.replication.factor": "3" },
      }),
    );
    const model = stack.use(new LoggedModel(options.latencyMs));
    const databaseWire = stack.use(new CutWire({ hostname: "127.0.0.1", port: database.port }));
    const modelWire = stack.use(new CutWire({ hostname: "127.0.0.1", port: model.port }));
    const stage = new StormStage(options, kafka, database, databaseWire, model, modelWire);
    stage.#stack.use(stack.move());
    await runTask("migrate", { DATABASE_URL: database.url });
    for (let index = 0; index < options.replicas; index++) await stage.#addWorker();
    return stage;
  }

  /** Starts one more consumer and waits until it answers; of the version before where `root` is its checkout. */
  async addConsumer(root?: string): Promise<Actor> {
    const name = `consumer ${++this.#joined}${root === undefined ? "" : " (version before)"}`;
    const proxies = this.workers.map(({ wire }, index) =>
      this.#stack.use(new CountingProxy(wire.port, name, index, this.journal))
    );
    this.#proxies.push(...proxies);
    const adminPort = freePort();
    const process = this.#stack.use(startTask(
      "consumer",
      name,
      {
        KAFKA_BROKERS: this.kafka.brokers,
        KAFKA_TOPIC: TOPIC,
        KAFKA_GROUP_ID: GROUP,
        KAFKA_SESSION_TIMEOUT_MS: "6000",
        DELIVERY_MODE: this.options.mode,
        WORKER_URL: proxies.map(({ url }) => url).join(","),
        WORKER_CONCURRENCY: String(this.options.concurrency),
        WORKER_TIMEOUT_MS: "10000",
        ADMIN_PORT: String(adminPort),
      },
      [],
      root,
    ));
    const consumer = { name, process };
    this.consumers.push(consumer);
    await answers(process, `http://127.0.0.1:${adminPort}/livez`);
    return consumer;
  }

  /** Ends a consumer; a stopped one must exit 0. */
  async removeConsumer(consumer: Actor, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.consumers.splice(this.consumers.indexOf(consumer), 1);
    const { code } = await consumer.process.end(signal);
    if (signal === "SIGTERM" && code !== 0) throw consumer.process.failure("did not stop cleanly on SIGTERM");
  }

  /** Starts a worker again in its place; of the version before where `root` is its checkout. */
  async restartWorker(place: WorkerPlace, root?: string): Promise<void> {
    place.process = this.#startWorker(place.name, place.port, root);
    await answers(place.process, `http://127.0.0.1:${place.port}/livez`);
  }

  /** Undoes whatever was done to the wires. */
  mendWires(): void {
    for (const wire of [this.databaseWire, this.modelWire, ...this.workers.map(({ wire }) => wire)]) {
      wire.mend();
    }
    for (const proxy of this.#proxies) proxy.open();
  }

  /** What every process wrote last, for when nothing moves any more. */
  diagnosis(): string {
    return [...this.consumers, ...this.workers].map(({ process }) => process.failure("wrote").message).join(
      "\n",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #addWorker(): Promise<void> {
    const port = freePort();
    const name = `worker ${this.workers.length + 1}`;
    const wire = this.#stack.use(new CutWire({ hostname: "127.0.0.1", port }));
    const place = { name, port, wire, process: this.#startWorker(name, port) };
    await answers(place.process, `http://127.0.0.1:${port}/readyz`);
    this.workers.push(place);
  }

  #startWorker(name: string, port: number, root?: string): Child {
    const url = new URL(this.database.url);
    url.port = String(this.databaseWire.port);
    return this.#stack.use(startTask(
      "worker",
      name,
      {
        PORT: String(port),
        DATABASE_URL: url.href,
        OPENAI_BASE_URL: `http://127.0.0.1:${this.modelWire.port}/v1`,
        OPENAI_API_KEY: "stub",
        OPENAI_TIMEOUT_MS: "5000",
        WORKER_CONCURRENCY: String(this.options.concurrency),
      },
      [],
      root,
    ));
  }
}
