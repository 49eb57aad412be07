// `deno task bench:busy`: how much of the permits' time is used while there is a backlog, with an LLM's kind of latency.

import { flagsOf } from "../../support/test_command.ts";
import { RealKafka } from "../../support/kafka/real_kafka.ts";
import { until } from "../../support/until.ts";
import { cpuOf, produce, residentMiB, say, startAckpool, startWorker } from "../stage.ts";

const values = flagsOf("bench:busy", "The share of the permits in use while there is a backlog.", {
  records: { type: "string", default: "8000" },
  "body-bytes": { type: "string", default: "150" },
  permits: { type: "string", default: "80" },
  "median-ms": { type: "string", default: "250" },
  sigma: { type: "string", default: "1" },
  "cap-ms": { type: "string", default: "8000" },
  /** Stop after so long, backlog or not: to watch memory. */
  "for-seconds": { type: "string" },
});
const records = Number(values.records);
/** How long the idle consumer is watched. */
const IDLE_SECONDS = 20;

say(`starting Kafka and producing ${records} records`);
await using kafka = await RealKafka.start();
await produce(kafka.brokers, records, Number(values["body-bytes"]));
const waits = [values["median-ms"], values.sigma, values["cap-ms"], values.permits];
await using worker = await startWorker("slow_worker.ts", ...waits);
await using consumer = startAckpool(kafka.brokers, "busy", worker.url, Number(values.permits));
const startedMs = performance.now();
const endMs = values["for-seconds"] === undefined
  ? Infinity
  : startedMs + Number(values["for-seconds"]) * 1000;
let toldMs = startedMs;
const end = await until("the end of the backlog", async () => {
  const stats = await (await fetch(worker.url)).json() as {
    count: number;
    most: number;
    busy: number;
    wallMs: number;
  };
  if (performance.now() - toldMs > 10_000) {
    toldMs = performance.now();
    const second = Math.round((toldMs - startedMs) / 1000);
    say(
      `${second} s: ${stats.count} records, consumer holds ${
        Math.round(await residentMiB(consumer.pid))
      } MiB`,
    );
  }
  return (stats.count >= records || performance.now() > endMs) && stats;
}, { timeoutMs: 3_600_000, everyMs: 250 });
say(`${end.count} records in ${(end.wallMs / 1000).toFixed(1)} s, at most ${end.most} at once`);
say(`permits busy until the last record was sent: ${end.busy.toFixed(3)} (goal: at least 0.950)`);
say(`the consumer holds ${Math.round(await residentMiB(consumer.pid))} MiB`);
if (end.count >= records) {
  const beforeMs = await cpuOf(consumer.pid);
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000));
  const usedMs = await cpuOf(consumer.pid) - beforeMs;
  say(`idle, the consumer used ${(usedMs / IDLE_SECONDS / 10).toFixed(1)}% of a core over ${IDLE_SECONDS} s`);
}
