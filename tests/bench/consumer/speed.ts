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
await using worker = await startWorker("noop_worker.ts");
const { url } = worker;
const runs: { bare: Run[]; ackpool: Run[] } = { bare: [], ackpool: [] };
for (let round = 1; round <= Number(values.rounds); round++) {
  runs.bare.push(await measure(startBare(kafka.brokers, `bare-${round}`, url), url));
  runs.ackpool.push(await measure(startAckpool(kafka.brokers, `ackpool-${round}`, url, IN_FLIGHT), url));
  for (const name of ["bare", "ackpool"] as const) {
    const { perSecond = 0, cpuMs = 0 } = runs[name].at(-1) ?? {};
    say(`round ${round} ${name.padEnd(8)} ${Math.round(perSecond)} records/s, ${Math.round(cpuMs)} ms CPU`);
  }
}
const ratio = (pick: (run: Run) => number) => median(runs.ackpool.map(pick)) / median(runs.bare.map(pick));
say(`records a second: ${ratio((run) => run.perSecond).toFixed(2)} of the bare loop's (goal: at least 0.90)`);
say(`CPU: ${ratio((run) => run.cpuMs).toFixed(2)} of the bare loop's (goal: at most 1.15)`);
