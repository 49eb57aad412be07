// What a worker gets: every record, byte for byte, with its headers; and what is committed.

import assert from "node:assert/strict";
import { decodeOffsetMap } from "../../consumer/core/offsets/offset_map.ts";
import { Scene, values } from "../support/processes/consumer_process.ts";
import { Gate, StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Deno.test("the consumer", async (t) => {
  await using kafka = await TestKafka.start();

  await t.step("delivers values byte for byte with the headers of the contract", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker();
    const binary = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const timestamp = "1700000000123";
    await kafka.produce(scene.topic, [
      { partition: 0, key: null, value: Buffer.from(binary), timestamp },
      {
        partition: 0,
        key: "k",
        value: "<ticket/>",
        headers: { "content-type": "application/xml; charset=utf-8", traceparent: TRACE },
      },
      { partition: 0, key: "gone", value: null },
      { partition: 0, key: "k", value: "", headers: { "content-type": "bad\r\nX-Injected: 1" } },
    ]);
    await using consumer = scene.consumer([worker], { WORKER_TOKEN: "s3cret", WORKER_TIMEOUT_MS: "7000" });
    await scene.untilCommitted();
    const [first, xml, tombstone, empty] = worker.requests.toSorted((a, b) => a.offset - b.offset);
    assert.equal(worker.requests.length, 4);
    assert.deepEqual([first?.method, first?.path], ["POST", "/classify"]);
    assert.deepEqual(first?.body, binary);
    assert.equal(first?.headers["content-type"], "application/json");
    assert.equal(first?.headers["idempotency-key"], `"${scene.topic}/0/0"`);
    assert.equal(first?.headers["ackpool-timestamp"], timestamp);
    assert.equal(first?.headers["ackpool-attempt"], "1");
    assert.equal(first?.headers["ackpool-deadline"], "7000");
    assert.equal(first?.headers["authorization"], "Bearer s3cret");
    assert.equal(first?.headers["ackpool-tombstone"], undefined);
    assert.match(first?.headers["traceparent"] ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assert.equal(xml?.text, "<ticket/>");
    assert.equal(xml?.headers["content-type"], "application/xml; charset=utf-8");
    assert.equal(xml?.headers["traceparent"], TRACE);
    assert.equal(tombstone?.body.length, 0);
    assert.equal(tombstone?.headers["ackpool-tombstone"], "true");
    assert.equal(empty?.body.length, 0);
    assert.equal(empty?.headers["ackpool-tombstone"], undefined);
    assert.equal(empty?.headers["content-type"], "application/json");
    assert.equal(empty?.headers["x-injected"], undefined);
    assert.equal(await consumer.stop(), 0);
  });

  await t.step("delivers every record of every partition once and commits all of it", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker();
    const sent = values(2000);
    await scene.produce(sent);
    await using consumer = scene.consumer([worker], { WORKER_CONCURRENCY: "32" });
    await scene.untilCommitted();
    assert.deepEqual(worker.requests.map(({ text }) => text).sort(), sent.sort());
    assert.ok(worker.inFlightMost <= 32, `in flight at once: ${worker.inFlightMost}`);
    assert.equal(await consumer.metric("ackpool_records_settled_total"), 2000);
    assert.equal(await consumer.metric("ackpool_backlog_records"), 0);
  });

  await t.step("stops the committed offset at the first gap and writes what is above it down", async () => {
    const scene = await Scene.in(kafka);
    const gate = new Gate();
    await using worker = new StubWorker(async ({ offset }) => {
      if (offset === 3) await gate.opened;
      return 200;
    });
    await scene.produce(values(10), 0);
    await using consumer = scene.consumer([worker]);
    const committed = await until("a commit at the gap with the map above it", async () => {
      const at = (await kafka.committed(scene.topic, scene.groupId)).get(0);
      const map = decodeOffsetMap(at?.metadata ?? null, at?.offset ?? 0);
      return map.kind === "map" && map.map.settled.at(-1)?.[1] === 9 ? { at, map } : undefined;
    });
    assert.equal(committed.at?.offset, 3);
    assert.deepEqual(committed.map.map.settled, [[4, 9]]);
    // The next owner of the partition skips what is settled.
    consumer.child.kill("SIGKILL");
    await consumer.child.exit;
    await using heir = scene.consumer([worker]);
    await until("the record in the gap again", () => worker.deliveries.get(`${scene.topic}/0/3`) === 2);
    gate.open();
    await scene.untilCommitted();
    assert.equal(worker.requests.length, 11);
    assert.equal(await heir.stop(), 0);
  });

  for (const commits of ["async", "sync"]) {
    await t.step(`works in every mode with ${commits} commits, and stops without a loss`, async () => {
      const modes = ["key", "partition", "batch", "fast", "parallel"];
      await Promise.all(
        modes.map((mode) => stoppedHalfWay(kafka, { DELIVERY_MODE: mode, COMMIT_MODE: commits })),
      );
    });
  }
});

/** Has 120 records of three keys delivered by a consumer that is stopped half way and its successor. */
async function stoppedHalfWay(kafka: TestKafka, mode: Readonly<Record<string, string>>): Promise<void> {
  const scene = await Scene.in(kafka);
  await using worker = new StubWorker(async () => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
    return 200;
  });
  const keys = ["a", "b", "c"];
  await kafka.produce(
    scene.topic,
    values(120).map((value, index) => ({ key: keys[index % 3] ?? "", value })),
  );
  const env = { ...mode, BATCH_SIZE: "7", BATCH_LINGER_MS: "50", WORKER_CONCURRENCY: "4" };
  const named = JSON.stringify(mode);
  {
    await using first = scene.consumer([worker], env);
    await until(`half of it with ${named}`, () => worker.requests.length >= 60, { timeoutMs: 60_000 });
    assert.equal(await first.stop(), 0, named);
  }
  await using second = scene.consumer([worker], env);
  // In `fast` mode the commit may come before the worker's answer.
  await until(`all of it with ${named}`, () => worker.deliveries.size >= 120, { timeoutMs: 60_000 });
  await scene.untilCommitted();
  assert.equal(await second.stop(), 0, named);
  assert.equal(worker.requests.length, 120, named);
  if (["key", "partition"].includes(mode["DELIVERY_MODE"] ?? "")) assertOrdered(worker);
}

/** A partition's records arrive by offset where they have one key, and all of them in `partition` mode. */
function assertOrdered(worker: StubWorker): void {
  const last = new Map<string, number>();
  for (const { key, offset, text } of worker.requests) {
    const lane = `${key.split("/")[1]} ${Number(text.slice(1)) % 3}`;
    assert.ok(offset > (last.get(lane) ?? -1), `${key} came after ${last.get(lane)}`);
    last.set(lane, offset);
  }
}
