// One replica of the pool campaigns: a real worker process with an LLM of its own that sleeps, behind a counting proxy
// at the replica's address; and every fault it can have.

import { freePort } from "../../support/ports.ts";
import type { Child } from "../../support/processes/process.ts";
import { startStubLlm, type StubLlm } from "../../support/workers/stub_llm.ts";
import { StubWorker } from "../../support/workers/stub_worker.ts";
import { until } from "../../support/until.ts";
import { CountingProxy } from "../stage/counting_proxy.ts";
import { answers, endCleanly } from "../stage/deployment.ts";
import type { Journal } from "../stage/journal.ts";
import { startTask } from "../stage/tasks.ts";

/** The LLM sleeps evenly between these parts of the sleep asked for, so that permits do not move in step. */
const SLEEP_PARTS = [0.75, 1.25] as const;

/** Where a replica is and what it works with. */
export interface PoolReplicaOptions {
  readonly index: number;
  /** Its address, as the name has it. */
  readonly hostname: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly concurrency: number;
  /** Mean time the LLM takes. */
  readonly sleepMs: number;
  readonly journal: Journal;
}

/**
 * One replica of the pool campaigns: a real worker with an LLM of its own, behind a counting proxy.
 * Not started at first: its address refuses connections.
 */
export class PoolReplica implements AsyncDisposable {
  readonly #options: PoolReplicaOptions;
  readonly #workerPort = freePort();
  readonly #wire: CountingProxy;
  readonly #llm: StubLlm;
  #worker: Child | undefined;
  #badBuild: StubWorker | undefined;
  #slowness = 1;

  constructor(options: PoolReplicaOptions) {
    this.#options = options;
    const { index, hostname, port, journal } = options;
    this.#wire = new CountingProxy(this.#workerPort, "consumer", index, journal, { hostname, port });
    this.#wire.close();
    const sleepMs = () => options.sleepMs * this.#slowness * between(...SLEEP_PARTS);
    this.#llm = startStubLlm({
      get latencyMs() {
        return sleepMs();
      },
    });
  }

  get index(): number {
    return this.#options.index;
  }

  /** Its address. */
  get hostname(): string {
    return this.#options.hostname;
  }

  /** Calls its LLM has had. */
  get llmCalls(): number {
    return this.#llm.calls();
  }

  /** Starts the worker and waits until it is ready. */
  async start(): Promise<void> {
    const { index, databaseUrl, concurrency } = this.#options;
    const worker = startTask("worker", `worker ${index}`, {
      PORT: String(this.#workerPort),
      DATABASE_URL: databaseUrl,
      OPENAI_BASE_URL: this.#llm.baseUrl,
      OPENAI_API_KEY: "stub",
      WORKER_CONCURRENCY: String(concurrency),
      LOG_LEVEL: "warning",
    });
    this.#worker = worker;
    await answers(worker, `http://127.0.0.1:${this.#workerPort}/readyz`);
    await this.#openAddress();
  }

  /** `kill -9`; its address refuses connections from then on. */
  async kill(): Promise<void> {
    this.#wire.close();
    await this.#worker?.end("SIGKILL");
    this.#worker = undefined;
  }

  /** SIGSTOP: connections are taken, nothing is answered. */
  freeze(): void {
    this.#worker?.kill("SIGSTOP");
  }

  /** SIGCONT. */
  thaw(): void {
    this.#worker?.kill("SIGCONT");
  }

  /** From now on its LLM takes so many times the sleep. */
  slowDown(times: number): void {
    this.#slowness = times;
  }

  /** SIGTERM; resolves when it has exited 0. Its address refuses connections then. */
  async drain(): Promise<void> {
    await this.#endWorker();
    this.#wire.close();
  }

  /** Puts a build in its place that says it is ready and answers 500 to every attempt, at once. */
  async rollOutBadBuild(): Promise<void> {
    await this.#endWorker();
    this.#badBuild = new StubWorker(() => 500, { port: this.#workerPort });
    await this.#openAddress();
  }

  /** Puts the good build back. */
  async rollBack(): Promise<void> {
    this.#wire.close();
    await this.#badBuild?.[Symbol.asyncDispose]();
    this.#badBuild = undefined;
    await this.start();
  }

  /** A listener that was closed a moment ago still holds its port. */
  async #openAddress(): Promise<void> {
    await until(`replica ${this.index}'s address`, () => {
      this.#wire.open();
      return true;
    }, { everyMs: 5 });
  }

  async #endWorker(): Promise<void> {
    if (this.#worker !== undefined) await endCleanly(this.#worker);
    this.#worker = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wire[Symbol.dispose]();
    await this.#worker?.[Symbol.asyncDispose]();
    await this.#badBuild?.[Symbol.asyncDispose]();
    await this.#llm.stop();
  }
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least);
}
