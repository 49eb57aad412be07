// What the benchmarks share: records in a topic, a consumer or a worker as a process, and what a process has used.

import { Kafka, logLevel } from "kafkajs";
import { type Child, startChild } from "../support/processes/process.ts";

/** The topic the benchmarks read. */
export const TOPIC = "bench";
/** Linux counts a process's time in ticks of 10 ms. */
const TICK_MS = 10;

/** Writes a line for people. */
export const say = (text: string): void => void Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));

/** Makes the topic with 8 partitions and fills it with tickets whose body has about `bodyBytes`. */
export async function produce(brokers: string, records: number, bodyBytes: number): Promise<void> {
  const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  const producer = client.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 8 }] });
  const body = "My card was charged twice this month, please look into it. ".repeat(
    Math.ceil(bodyBytes / 59),
  );
  for (let sent = 0; sent < records; sent += 2000) {
    const messages = Array.from({ length: Math.min(2000, records - sent) }, (_, index) => ({
      key: String(sent + index),
      value: JSON.stringify({ ticket_id: sent + index, subject: "Charged twice", body }),
    }));
    await producer.send({ topic: TOPIC, messages });
  }
  await Promise.all([admin.disconnect(), producer.disconnect()]);
}

/** Starts one of the workers beside this file and waits until it listens; `url` is its address. */
export async function startWorker(file: string, ...args: string[]): Promise<Child & { url: string }> {
  const child = startChild({
    name: file,
    command: Deno.execPath(),
    args: ["run", "-A", `tests/bench/consumer/${file}`, ...args],
  });
  const { fields } = await child.waitForLine((line) => line.fields["message"] === "listening");
  return Object.assign(child, { url: `http://127.0.0.1:${fields["port"]}` });
}

/** Starts Ackpool's consumer. @param cwd the checkout it is of: this one, unless said otherwise. */
export function startAckpool(
  brokers: string,
  groupId: string,
  url: string,
  concurrency: number,
  cwd?: string,
): Child {
  return startChild({
    ...(cwd === undefined ? {} : { cwd }),
    name: "ackpool",
    command: Deno.execPath(),
    args: ["run", "-A", "consumer/main.ts"],
    env: {
      KAFKA_BROKERS: brokers,
      KAFKA_GROUP_ID: groupId,
      KAFKA_TOPIC: TOPIC,
      WORKER_URL: url,
      WORKER_CONCURRENCY: String(concurrency),
      ADMIN_PORT: "0",
    },
  });
}

/** User and system time a process has used, in ms: fields 14 and 15 of proc(5)'s stat. */
export async function cpuOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Memory a process holds, in MiB: VmRSS of proc(5)'s status. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
