// `deno task bench:speed`: Ackpool's consumer against the bare loop, side by side on real Kafka with a no-op worker.

import { parseArgs } from "node:util";
import { Kafka, logLevel } from "kafkajs";
import { type Child, startChild } from "../support/process.ts";
import { RealKafka } from "../support/real_kafka.ts";
import { until } from "../support/until.ts";

const { values } = parseArgs({
  options: {
    records: { type: "string", default: "100000" },
    rounds: { type: "string", default: "3" },
    "in-flight": { type: "string", default: "64" },
    only: { type: "string" },
  },
});
const RECORDS = Number(values.records);
const TOPIC = "speed";
/** Linux counts a process's time in ticks of 10 ms. */
const TICK_MS = 10;

interface Run {
  readonly perSecond: number;
  readonly cpuMs: number;
}

const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));

async function produce(brokers: string): Promise<void> {
  const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  const producer = client.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 8 }] });
  const body = "My card was charged twice this month, please look into it. ".repeat(3);
  for (let sent = 0; sent < RECORDS; sent += 2000) {
    const messages = Array.from({ length: Math.min(2000, RECORDS - sent) }, (_, index) => ({
      key: String(sent + index),
      value: JSON.stringify({ ticket_id: sent + index, subject: "Charged twice", body }),
    }));
    await producer.send({ topic: TOPIC, messages });
  }
  await Promise.all([admin.disconnect(), producer.disconnect()]);
}

function startBare(brokers: string, groupId: string, url: string): Child {
  const args = ["run", "-A", "tests/bench/bare_loop.ts", brokers, groupId, TOPIC, url, values["in-flight"]];
  return startChild({ name: "bare loop", command: Deno.execPath(), args });
}

function startAckpool(brokers: string, groupId: string, url: string): Child {
  return startChild({
    name: "ackpool",
    command: Deno.execPath(),
    args: [
      "run",
      "-A",
      ...(Deno.env.get("PROFILE") ? ["--cpu-prof", "--cpu-prof-dir=/tmp/prof"] : []),
      "consumer/main.ts",
    ],
    env: {
      KAFKA_BROKERS: brokers,
      KAFKA_GROUP_ID: groupId,
      KAFKA_TOPIC: TOPIC,
      WORKER_URL: url,
      WORKER_CONCURRENCY: values["in-flight"],
      ADMIN_PORT: "0",
    },
  });
}

async function measure(start: () => Child, url: string): Promise<Run> {
  await fetch(`${url}/reset`);
  await using child = start();
  const ended = await until("every record", async () => {
    if (child.status !== undefined) throw child.failure("ended");
    const stats = await (await fetch(url)).json() as { count: number; tookMs: number };
    return stats.count >= RECORDS && stats;
  }, { timeoutMs: 300_000, everyMs: 100 });
  const cpuMs = await cpuOf(child.pid);
  if (Deno.env.get("TAIL")) say(child.lines.slice(-12).map((line) => line.text.slice(0, 300)).join("\n"));
  if (Deno.env.get("PROFILE")) await child.end("SIGTERM");
  return { perSecond: RECORDS / (ended.tookMs / 1000), cpuMs };
}

/** User and system time a process has used: fields 14 and 15 of proc(5)'s stat. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

say(`starting Kafka and producing ${RECORDS} records`);
await using kafka = await RealKafka.start();
await produce(kafka.brokers);
await using worker = startChild({
  name: "no-op worker",
  command: Deno.execPath(),
  args: ["run", "-A", "tests/bench/noop_worker.ts"],
});
const { fields } = await worker.waitForLine(({ fields }) => fields["message"] === "listening");
const url = `http://127.0.0.1:${fields["port"]}`;
const runs: { bare: Run[]; ackpool: Run[] } = { bare: [], ackpool: [] };
const starts = { bare: startBare, ackpool: startAckpool };
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const name of ["bare", "ackpool"] as const) {
    if (values.only !== undefined && values.only !== name) continue;
    const run = await measure(() => starts[name](kafka.brokers, `${name}-${round}`, url), url);
    runs[name].push(run);
    say(
      `round ${round} ${name.padEnd(8)} ${Math.round(run.perSecond)} records/s, ${
        Math.round(run.cpuMs)
      } ms CPU`,
    );
  }
}
if (values.only === undefined) {
  const ratio = (pick: (run: Run) => number) => median(runs.ackpool.map(pick)) / median(runs.bare.map(pick));
  say(
    `records a second: ${ratio((run) => run.perSecond).toFixed(2)} of the bare loop's (goal: at least 0.90)`,
  );
  say(`CPU: ${ratio((run) => run.cpuMs).toFixed(2)} of the bare loop's (goal: at most 1.15)`);
}
