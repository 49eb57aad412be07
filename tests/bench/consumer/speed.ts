// `deno task bench:speed`: Ackpool's consumer against the bare loop, side by side on real Kafka with a no-op worker.

import { flagsOf } from "../../support/test_command.ts";
import { type Child, startChild } from "../../support/processes/process.ts";
import { RealKafka } from "../../support/kafka/real_kafka.ts";
import { until } from "../../support/until.ts";
import { cpuOf, produce, say, startAckpool, startWorker, TOPIC } from "../stage.ts";

const values = flagsOf(
  "bench:speed",
  "Ackpool's consumer beside the bare loop, on real Kafka with a no-op worker.",
  {
    records: { type: "string", default: "100000" },
    rounds: { type: "string", default: "3" },
    "in-flight": { type: "string", default: "64" },
    // Another checkout of Ackpool, to be measured beside this one.
    base: { type: "string" },
  },
);
const RECORDS = Number(values.records);
const IN_FLIGHT = Number(values["in-flight"]);

interface Run {
  readonly perSecond: number;
  readonly cpuMs: number;
}

function startBare(brokers: string, groupId: string, url: string): Child {
  const args = [
    "run",
    "-A",
    "tests/bench/consumer/bare_loop.ts",
    brokers,
    groupId,
    TOPIC,
    url,
    String(IN_FLIGHT),
  ];
  return startChild({ name: "bare loop", command: Deno.execPath(), args });
}

async function measure(child: Child, url: string): Promise<Run> {
  await using measured = child;
  const ended = await until("every record", async () => {
    if (measured.status !== undefined) throw measured.failure("ended");
    const stats = await (await fetch(url)).json() as { count: number; tookMs: number };
    return stats.count >= RECORDS && stats;
  }, { timeoutMs: 300_000, everyMs: 100 });
  await fetch(`${url}/reset`);
  return { perSecond: RECORDS / (ended.tookMs / 1000), cpuMs: await cpuOf(measured.pid) };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

say(`starting Kafka and producing ${RECORDS} records`);
await using kafka = await RealKafka.start();
await produce(kafka.brokers, RECORDS, 150);
await using single = await startWorker("noop_worker.ts");
await using streaming = await startWorker("noop_worker.ts", "batches");
const ackpool = (url: string, cwd?: string) => ({
  url,
  start: (group: string) => startAckpool(kafka.brokers, group, url, IN_FLIGHT, cwd),
});
const contestants: Readonly<Record<string, { url: string; start: (group: string) => Child }>> = {
  bare: { url: single.url, start: (group) => startBare(kafka.brokers, group, single.url) },
  ackpool: ackpool(single.url),
  streamed: ackpool(streaming.url),
  ...(values.base === undefined ? {} : { base: ackpool(single.url, values.base) }),
};
const runs = new Map<string, Run[]>(Object.keys(contestants).map((name) => [name, []]));
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const [name, { url, start }] of Object.entries(contestants)) {
    const run = await measure(start(`${name}-${round}`), url);
    runs.get(name)?.push(run);
    const perRecordUs = Math.round(1000 * run.cpuMs / RECORDS);
    say(
      `round ${round} ${name.padEnd(8)} ${
        Math.round(run.perSecond)
      } records/s, ${perRecordUs} µs of CPU a record`,
    );
  }
}
const medianOf = (name: string, pick: (run: Run) => number) => median((runs.get(name) ?? []).map(pick));
for (const name of Object.keys(contestants).slice(1)) {
  const ratio = (pick: (run: Run) => number) => (medianOf(name, pick) / medianOf("bare", pick)).toFixed(2);
  say(
    `${name.padEnd(8)} ${ratio((run) => run.perSecond)} of the bare loop's records a second, ${
      ratio((run) => run.cpuMs)
    } of its CPU`,
  );
}
say("goals: ackpool at least 0.90 and at most 1.15");
