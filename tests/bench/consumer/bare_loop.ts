// The yardstick for speed: the loop one would write in an afternoon. No retries, no map, no dead letters, no health.

import { Kafka, logLevel } from "kafkajs";
import { Pool } from "undici";

const [brokers = "", groupId = "", topic = "", workerUrl = "", inFlightMax = "64"] = Deno.args;
const pool = new Pool(workerUrl, { connections: Number(inFlightMax), pipelining: 1 });
const consumer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).consumer({ groupId });
const ledgers = new Map<number, { offset: number; done: boolean }[]>();
let inFlight = 0;
let free = Promise.withResolvers<void>();

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
setInterval(async () => {
  const offsets = [...ledgers].flatMap(([partition, ledger]) => {
    const open = ledger.findIndex((entry) => !entry.done);
    const settled = ledger.splice(0, open < 0 ? ledger.length : open);
    const last = settled.at(-1);
    return last === undefined ? [] : [{ topic, partition, offset: String(last.offset + 1) }];
  });
  if (offsets.length > 0) await consumer.commitOffsets(offsets);
}, 1000);
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: 8,
  eachBatch: async ({ batch, heartbeat }) => {
    const ledger = ledgers.get(batch.partition) ?? [];
    ledgers.set(batch.partition, ledger);
    for (const { offset, value } of batch.messages) {
      while (inFlight >= Number(inFlightMax)) await free.promise;
      inFlight += 1;
      const entry = { offset: Number(offset), done: false };
      ledger.push(entry);
      const headers = {
        "content-type": "application/json",
        "idempotency-key": `"${topic}/${batch.partition}/${offset}"`,
      };
      void pool.request({ path: "/classify", method: "POST", headers, body: value }).then(
        async ({ body }) => {
          await body.dump();
          entry.done = true;
          inFlight -= 1;
          free.resolve();
          free = Promise.withResolvers();
        },
      );
    }
    await heartbeat();
  },
});
