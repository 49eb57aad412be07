// The memory campaign: a tenth of the records is held for minutes by 429 with a long Retry-After; what is counted for them against what it costs.

import { TestKafka } from "../../support/kafka/test_kafka.ts";
import { type ConsumerProcess, startConsumer } from "../../support/processes/consumer_process.ts";
import { StubWorker } from "../../support/workers/stub_worker.ts";
import { residentMiB } from "../../bench/stage.ts";
import type { Findings, Table } from "../stage/report.ts";
import { makeTopic } from "../stage/topics.ts";

/** How long, with what. */
export interface MemoryOptions {
  readonly brokers: string;
  readonly seconds: number;
  /** Partitions of a topic; each topic has a consumer of its own. */
  readonly partitions: readonly number[];
  readonly recordsPerSecond: number;
  /** Every so many'th record is held. */
  readonly heldEvery: number;
  readonly bodyBytes: number;
  readonly report: (what: string) => void;
}

/** What a consumer holds at one moment. */
interface Sample {
  readonly second: number;
  readonly sent: number;
  readonly settled: number;
  readonly backlog: number;
  readonly countedMiB: number;
  readonly residentMiB: number;
}

const MiB = 1024 * 1024;
const SAMPLES = 20;
/** Memory beyond what is counted that a consumer may have grown by, in MiB: garbage that is not collected yet. */
const GROWTH_MAX_MIB = 150;
/** As long as nobody waits: an hour, of which `RETRY_AFTER_MAX_MS` is taken. */
const RETRY_AFTER_SECONDS = "3600";
const BATCHES_PER_SECOND = 5;
/** Of a worker, in ms. */
const LATENCY_MS = 20;
const READY_WITHIN_MS = 60_000;

/** Runs the campaign, all topics at once. */
export async function runMemoryCampaign(options: MemoryOptions): Promise<Findings> {
  const runs = await Promise.all(
    options.partitions.map(async (partitions) => ({ partitions, samples: await hold(options, partitions) })),
  );
  const faults = runs.flatMap(({ partitions, samples }) => faultsOf(partitions, samples, options));
  const { seconds, recordsPerSecond, heldEvery, bodyBytes } = options;
  return {
    title: `${
      100 / heldEvery
    }% of ${recordsPerSecond} records of ${bodyBytes} bytes a second held for ${seconds} s (429, Retry-After)`,
    command: `deno task campaign:memory --seconds ${seconds} --partitions ${options.partitions.join()}`,
    tables: runs.map(({ partitions, samples }) => tableOf(partitions, samples)),
    faults,
  };
}

async function hold(options: MemoryOptions, partitions: number): Promise<readonly Sample[]> {
  const { brokers, heldEvery, report } = options;
  const topic = `held-${partitions}`;
  await makeTopic(brokers, topic, partitions);
  await using kafka = await TestKafka.connect(brokers);
  await using worker = new StubWorker(async ({ text }) => {
    await new Promise((resolve) => setTimeout(resolve, LATENCY_MS));
    // Kept requests would be this process's memory, and cost it time.
    worker.requests.length = 0;
    const number = Number(text.slice(0, text.indexOf(" ")));
    return number % heldEvery === 0
      ? new Response(null, { status: 429, headers: { "retry-after": RETRY_AFTER_SECONDS } })
      : 200;
  });
  await using consumer = startConsumer({
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC: topic,
    KAFKA_GROUP_ID: "memory",
    KAFKA_SESSION_TIMEOUT_MS: "30000",
    COMMIT_INTERVAL_MS: "1000",
    WORKER_URL: worker.url,
    WORKER_CONCURRENCY: "16",
  });
  await consumer.untilReady(READY_WITHIN_MS);
  const samples = await load(kafka, topic, consumer, options);
  report(`${partitions} partitions: ${samples.at(-1)?.residentMiB.toFixed(0)} MiB at the end`);
  // Leaving waits for what is held; nobody needs it.
  consumer.child.kill("SIGKILL");
  return samples;
}

async function load(
  kafka: TestKafka,
  topic: string,
  consumer: ConsumerProcess,
  { seconds, recordsPerSecond, bodyBytes }: MemoryOptions,
): Promise<readonly Sample[]> {
  const startedMs = performance.now();
  const padding = "x".repeat(bodyBytes);
  const samples = [await sample(consumer, 0, 0)];
  let sent = 0;
  for (let nowMs = startedMs; nowMs < startedMs + seconds * 1000; nowMs = performance.now()) {
    const due = Math.floor((nowMs - startedMs) / 1000 * recordsPerSecond);
    const some = Array.from({ length: due - sent }, (_, n) => `${sent + n} ${padding}`.slice(0, bodyBytes));
    if (some.length > 0) await kafka.produce(topic, some.map((value) => ({ key: value.slice(0, 8), value })));
    sent = due;
    const second = (performance.now() - startedMs) / 1000;
    if (second >= samples.length * seconds / SAMPLES) samples.push(await sample(consumer, second, sent));
    await new Promise((resolve) => setTimeout(resolve, 1000 / BATCHES_PER_SECOND));
  }
  samples.push(await sample(consumer, seconds, sent));
  return samples;
}

async function sample(consumer: ConsumerProcess, second: number, sent: number): Promise<Sample> {
  const [settled, backlog, counted] = await Promise.all([
    consumer.metric("ackpool_records_settled_total"),
    consumer.metric("ackpool_backlog_records"),
    consumer.metric("ackpool_held_bytes"),
  ]);
  return {
    second: Math.round(second),
    sent,
    settled: Number.isNaN(settled) ? 0 : settled,
    backlog,
    countedMiB: counted / MiB,
    residentMiB: await residentMiB(consumer.child.pid),
  };
}

function tableOf(partitions: number, samples: readonly Sample[]): Table {
  return [
    [`seconds (${partitions} partitions)`, "sent", "settled", "held", "counted (MiB)", "resident (MiB)"],
    ...samples.map(({ second, sent, settled, backlog, countedMiB, residentMiB }) => [
      second,
      sent,
      settled,
      backlog,
      countedMiB.toFixed(1),
      residentMiB.toFixed(0),
    ]),
  ];
}

function faultsOf(
  partitions: number,
  samples: readonly Sample[],
  { heldEvery }: MemoryOptions,
): readonly string[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return ["nothing was measured"];
  const grown = last.residentMiB - first.residentMiB - last.countedMiB;
  const due = Math.floor(last.sent * (1 - 1 / heldEvery) * 0.9);
  return [
    grown > GROWTH_MAX_MIB
      ? `${partitions} partitions: ${grown.toFixed(0)} MiB more than what is counted`
      : "",
    last.settled < due ? `${partitions} partitions: ${last.settled} records settled, ${due} were due` : "",
  ].filter((fault) => fault !== "");
}
