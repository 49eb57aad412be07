// Consumers that join and leave a group while tickets keep coming.

import { until } from "../../support/until.ts";
import { type Consumer, type Deployment, endCleanly } from "./deployment.ts";
import type { Journal } from "./journal.ts";

const CHUNK = 200;

/** The consumers of one group. */
export class Fleet {
  readonly #present: Consumer[] = [];
  #joined = 0;

  constructor(private readonly deployment: Deployment) {}

  get size(): number {
    return this.#present.length;
  }

  /** Starts one more consumer. */
  async join(): Promise<void> {
    this.#joined++;
    this.#present.push(await this.deployment.startConsumer(`consumer ${this.#joined}`));
  }

  /** Ends the oldest consumer with SIGTERM; it must exit 0. */
  async leave(): Promise<void> {
    await endCleanly(this.#oldest().process);
  }

  /** Ends the oldest consumer with SIGKILL. */
  async kill(): Promise<void> {
    await this.deployment.killConsumer(this.#oldest());
  }

  #oldest(): Consumer {
    const consumer = this.#present.shift();
    if (consumer === undefined) throw new Error("there is no consumer left");
    return consumer;
  }
}

/** What tickets can be fed to. */
export interface Fed {
  readonly journal: Journal;
  /** Tickets fed so far. */
  readonly tickets: number;
  feed(count: number): Promise<void>;
}

/** Keeps at least `backlog` tickets waiting until it is disposed of. */
export class Feeder implements AsyncDisposable {
  readonly #feeding: Promise<void>;
  #stopped = false;

  constructor(private readonly deployment: Fed, private readonly backlog: number) {
    this.#feeding = this.#feed();
    this.#feeding.catch(() => {}); // told by the disposal
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#feeding;
  }

  async #feed(): Promise<void> {
    const { journal } = this.deployment;
    const isLow = () => this.#stopped || this.deployment.tickets - journal.settled.size < this.backlog;
    while (!this.#stopped) {
      await this.deployment.feed(CHUNK);
      await until("room for more tickets", isLow, { timeoutMs: 600_000, everyMs: 20 });
    }
  }
}
