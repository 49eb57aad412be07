// `deno task bench:page`: what the operator's page costs a consumer at 5,000 records a second: processor time, in turn.

import { flagsOf } from "../../support/test_command.ts";
import { RealKafka } from "../../support/kafka/real_kafka.ts";
import { ConsumerProcess, startConsumer } from "../../support/processes/consumer_process.ts";
import { until } from "../../support/until.ts";
import { cpuOf, produce, residentMiB, say, startWorker, TOPIC } from "../stage.ts";

const values = flagsOf("bench:page", "What a reader of the page costs a consumer, on real Kafka.", {
  rate: { type: "string", default: "5000" },
  rounds: { type: "string", default: "6" },
  seconds: { type: "string", default: "10" },
});
const RATE = Number(values.rate);
const ROUNDS = Number(values.rounds);
const SECONDS = Number(values.seconds);

interface Measured {
  readonly perSecond: number;
  readonly cpuMsPerRecord: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(consumer: ConsumerProcess): Promise<Measured> {
  const look = async () => ({
    atMs: performance.now(),
    settled: await consumer.metric("ackpool_records_settled_total"),
    cpuMs: await cpuOf(consumer.child.pid),
  });
  const before = await look();
  await pause(SECONDS * 1000);
  const after = await look();
  const settled = after.settled - before.settled;
  return {
    perSecond: settled / ((after.atMs - before.atMs) / 1000),
    cpuMsPerRecord: (after.cpuMs - before.cpuMs) / settled,
  };
}

/** Reads the first screen as a browser does: what is live, and the hour each five seconds. */
async function withReader<T>(adminUrl: string, work: () => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const { body } = await fetch(`${adminUrl}/page/live/now`, { signal: ending.signal });
  const reading = readAll(body);
  const timer = setInterval(() => fetch(`${adminUrl}/state/history`).then((answer) => answer.text()), 5000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    ending.abort();
    await Promise.race([reading, pause(1000)]);
  }
}

/** Until it ends, however that is. */
async function readAll(body: ReadableStream<Uint8Array> | null): Promise<void> {
  try {
    for await (const _ of body ?? []) continue;
  } catch {
    // It was given up.
  }
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;

const records = RATE * (2 * ROUNDS * SECONDS + 20);
say(`starting Kafka and producing ${records} records`);
await using kafka = await RealKafka.start();
await produce(kafka.brokers, records, 150);
await using worker = await startWorker("noop_worker.ts");
await using consumer = startConsumer({
  KAFKA_BROKERS: kafka.brokers,
  KAFKA_TOPIC: TOPIC,
  KAFKA_GROUP_ID: "page",
  WORKER_URL: worker.url,
  WORKER_CONCURRENCY: "64",
  RATE_LIMIT: String(RATE),
  COMMIT_INTERVAL_MS: "1000",
  KAFKA_SESSION_TIMEOUT_MS: "30000",
});
await until("its pace", async () => await consumer.metric("ackpool_records_settled_total") > RATE * 3);
const ratios: number[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  const closed = await measure(consumer);
  const open = await withReader(consumer.adminUrl, () => measure(consumer));
  ratios.push(open.cpuMsPerRecord / closed.cpuMsPerRecord);
  say(
    `round ${round}: closed ${closed.perSecond.toFixed(0)}/s ${
      (closed.cpuMsPerRecord * 1000).toFixed(1)
    } µs CPU, ` +
      `open ${open.perSecond.toFixed(0)}/s ${(open.cpuMsPerRecord * 1000).toFixed(1)} µs CPU a record`,
  );
}
say(`CPU a record with the page open: ${median(ratios).toFixed(3)} of closed (goal: at most 1.010)`);
say(`memory at the end: ${(await residentMiB(consumer.child.pid)).toFixed(0)} MiB`);
Deno.exit(0);
