// Records that go into a topic for as long as a test wants, also while its broker comes and goes.

import type { TestKafka } from "./test_kafka.ts";

const RECORDS_AT_ONCE = 10;
const EVERY_MS = 20;
const AGAIN_MS = 200;

/** Sends records into a topic for as long as a test wants, also while its broker comes and goes. */
export class SteadyLoad {
  readonly #kafka: TestKafka;
  readonly #topic: string;
  readonly #everyMs: number;
  readonly #prefix = crypto.randomUUID().slice(0, 4);
  readonly #sent: string[] = [];
  readonly #going: Promise<void>;
  #stopping = false;

  /** @param everyMs time between two sends of ten records, in ms. */
  constructor(kafka: TestKafka, topic: string, everyMs: number = EVERY_MS) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#everyMs = everyMs;
    this.#going = this.#go();
  }

  /** Ends it; resolves to the values that the broker has confirmed. */
  async stop(): Promise<readonly string[]> {
    this.#stopping = true;
    await this.#going;
    return this.#sent;
  }

  async #go(): Promise<void> {
    while (!this.#stopping) {
      const first = this.#sent.length;
      const some = Array.from({ length: RECORDS_AT_ONCE }, (_, n) => `${this.#prefix}-${first + n}`);
      try {
        await this.#kafka.produce(this.#topic, some.map((value) => ({ key: value, value })));
        this.#sent.push(...some);
        await pause(this.#everyMs);
      } catch {
        // The same again: the broker may have some of them already.
        await pause(AGAIN_MS);
      }
    }
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
