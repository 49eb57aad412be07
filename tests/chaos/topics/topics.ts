// The topics campaign: topics come, go and come back under a pattern; every record of those that lived is delivered.

import { until } from "../../support/until.ts";
import { SteadyLoad } from "../../support/kafka/steady_load.ts";
import { TestKafka } from "../../support/kafka/test_kafka.ts";
import { startConsumer } from "../../support/processes/consumer_process.ts";
import { StubWorker } from "../../support/workers/stub_worker.ts";
import type { Findings } from "../stage/report.ts";
import { deleteTopics, makeTopic } from "../stage/topics.ts";

/** How long, and how many topics. */
export interface TopicsOptions {
  readonly brokers: string;
  readonly seconds: number;
  /** Topics made in that time, under each setting of PARK_KEYS. */
  readonly topics: number;
  readonly report: (what: string) => void;
}

/** What came of one setting. */
interface Run {
  readonly parkKeys: boolean;
  readonly made: number;
  readonly deleted: number;
  /** Of those made: under the name of one that was deleted. */
  readonly anew: number;
  readonly sent: number;
  readonly missing: readonly string[];
  readonly twice: number;
  readonly deadLetters: number;
  /** The longest time from a topic's making to its first delivery, in ms. */
  readonly firstMs: number;
  readonly stopped: number;
}

/** A topic that takes records now. */
interface Living {
  readonly name: string;
  readonly madeMs: number;
  readonly kafka: TestKafka;
  readonly load: SteadyLoad;
}

/** So many topics live at once; every third new one has the name of one that was deleted. */
const LIVING_MAX = 4;
const ANEW_EVERY = 3;
const PARTITIONS = 3;
/** Ten records of each topic go out as often, in ms. */
const SEND_EVERY_MS = 500;
const DELIVERED_WITHIN_MS = 90_000;

/** Runs the campaign under both settings at once. */
export async function runTopicsCampaign(options: TopicsOptions): Promise<Findings> {
  const runs = await Promise.all([false, true].map((parkKeys) => comingAndGoing(options, parkKeys)));
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  return {
    title: `${options.topics} topics made and deleted in ${options.seconds} s under a pattern`,
    command: `deno task campaign:topics --topics ${options.topics} --seconds ${options.seconds}`,
    tables: [[
      [
        "PARK_KEYS",
        "topics made",
        "of these anew",
        "deleted",
        "records",
        "never delivered",
        "delivered again",
        "dead letters",
        "longest from made to first delivery (s)",
      ],
      ...runs.map((run) => [
        String(run.parkKeys),
        run.made,
        run.anew,
        run.deleted,
        run.sent,
        run.missing.length,
        run.twice,
        run.deadLetters,
        seconds(run.firstMs),
      ]),
    ]],
    faults: runs.flatMap(faultsOf),
  };
}

function faultsOf({ parkKeys, missing, stopped }: Run): readonly string[] {
  return [
    missing.length > 0
      ? `PARK_KEYS=${parkKeys}: ${missing.length} records never delivered: ${missing.slice(0, 5).join(", ")}`
      : "",
    stopped !== 0 ? `PARK_KEYS=${parkKeys}: the consumer ended with ${stopped}` : "",
  ].filter((fault) => fault !== "");
}

async function comingAndGoing(options: TopicsOptions, parkKeys: boolean): Promise<Run> {
  const { brokers, report } = options;
  const prefix = `come-${parkKeys ? "parked" : "plain"}`;
  await using worker = new StubWorker(({ text, key }) => text.endsWith("bad") && key !== "" ? 422 : 200);
  await using consumer = startConsumer({
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC: `/^${prefix}-\\d+$/`,
    KAFKA_GROUP_ID: prefix,
    KAFKA_SESSION_TIMEOUT_MS: "10000",
    WORKER_URL: worker.url,
    ...(parkKeys ? { DELIVERY_MODE: "key", PARK_KEYS: "true" } : {}),
  });
  const crowd = new Crowd(brokers, prefix, worker);
  const startedMs = performance.now();
  for (let made = 0; made < options.topics; made++) {
    const dueMs = startedMs + made * options.seconds * 1000 / options.topics;
    await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    if (crowd.size >= LIVING_MAX) await crowd.deleteOldest(made % 2 === 0);
    await crowd.make();
    report(`${prefix}: ${made + 1} topics made, ${crowd.deleted} deleted`);
  }
  const leftMs = startedMs + options.seconds * 1000 - performance.now();
  await new Promise((resolve) => setTimeout(resolve, leftMs));
  while (crowd.size > 0) await crowd.end();
  const { size: deadLetters } = new Set(worker.requests.filter(({ text }) => text.endsWith("bad")));
  return { ...crowd.figures(), parkKeys, made: options.topics, deadLetters, stopped: await consumer.stop() };
}

/** The topics of one setting. */
class Crowd {
  readonly #living: Living[] = [];
  readonly #gone: string[] = [];
  readonly #missing: string[] = [];
  #sent = 0;
  #deleted = 0;
  #made = 0;
  #anew = 0;
  #firstMs = 0;

  constructor(
    private readonly brokers: string,
    private readonly prefix: string,
    private readonly worker: StubWorker,
  ) {}

  get size(): number {
    return this.#living.length;
  }

  get deleted(): number {
    return this.#deleted;
  }

  /** Makes a topic and sends into it until it ends; one of its records is bad. */
  async make(): Promise<void> {
    const old = this.#made % ANEW_EVERY === ANEW_EVERY - 1 ? this.#gone.shift() : undefined;
    if (old !== undefined) this.#anew += 1;
    const name = old ?? `${this.prefix}-${this.#made}`;
    this.#made += 1;
    const madeMs = Date.now();
    await makeTopic(this.brokers, name, PARTITIONS);
    const kafka = await TestKafka.connect(this.brokers);
    const bad = `${crypto.randomUUID()}-bad`;
    await kafka.produce(name, [{ key: bad, value: bad }]);
    this.#sent += 1;
    this.#living.push({ name, madeMs, kafka, load: new SteadyLoad(kafka, name, SEND_EVERY_MS) });
  }

  /** Ends the oldest topic's records, waits for them, and deletes it, with its side topics or without. */
  async deleteOldest(withSides: boolean): Promise<void> {
    const name = await this.end();
    const sides = [`${name}.${this.prefix}.dlq`, `${name}.${this.prefix}.retry`];
    await deleteTopics(this.brokers, withSides ? [name, ...sides] : [name]);
    this.#deleted += 1;
    this.#gone.push(name);
  }

  /** Ends the oldest topic's records and waits until all were delivered. */
  async end(): Promise<string> {
    const topic = this.#living.shift();
    if (topic === undefined) throw new RangeError("no topic is left");
    const sent = await topic.load.stop();
    this.#sent += sent.length;
    const missing = () => {
      const texts = new Set(this.#of(topic).map(({ text }) => text));
      return sent.filter((text) => !texts.has(text));
    };
    await until(`all records of ${topic.name}`, () => missing().length === 0, {
      timeoutMs: DELIVERED_WITHIN_MS,
      everyMs: 200,
    }).catch(() => this.#missing.push(...missing()));
    const first = this.#of(topic)[0];
    if (first !== undefined) this.#firstMs = Math.max(this.#firstMs, first.atMs - topic.madeMs);
    await topic.kafka[Symbol.asyncDispose]();
    return topic.name;
  }

  figures() {
    const texts = this.worker.requests.map(({ text }) => text);
    return {
      anew: this.#anew,
      deleted: this.#deleted,
      sent: this.#sent,
      missing: this.#missing,
      twice: texts.length - new Set(texts).size,
      firstMs: this.#firstMs,
    };
  }

  /** What was delivered of a topic since it was made. */
  #of({ name, madeMs }: Living) {
    return this.worker.requests.filter(({ key, atMs }) => key.startsWith(`${name}/`) && atMs >= madeMs);
  }
}
