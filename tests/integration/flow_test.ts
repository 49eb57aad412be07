// A hand on the flow of a running group: what one consumer is told holds for all, and outlives the one that was told.

import assert from "node:assert/strict";
import type { FlowJson } from "../../consumer/flow/flow_json.ts";
import { type ConsumerProcess, Scene, values } from "../support/processes/consumer_process.ts";
import { runCommand } from "../support/processes/dlq_command.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const LIMIT_MS = 60_000;

async function ask(consumer: ConsumerProcess, path: string, body?: unknown): Promise<FlowJson> {
  const init = body === undefined ? {} : {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(`${consumer.adminUrl}/flow${path}`, init);
  assert.equal(response.status, 200, await response.clone().text());
  return await response.json();
}

/** Waits until all consumers have partitions, and know how many there are where that matters. */
async function untilShared(consumers: readonly ConsumerProcess[], limited = false): Promise<void> {
  await until("partitions for all", async () => {
    const flows = await Promise.all(consumers.map((each) => ask(each, "")));
    return flows.every(({ here }) => here.partitions > 0 && (!limited || here.recordsPerSecond !== null)) &&
      (!limited || flows.reduce((sum, { here }) => sum + here.partitions, 0) === flows[0]?.here.ofPartitions);
  }, { timeoutMs: LIMIT_MS });
}

Deno.test("A hand on the flow", async (t) => {
  await using kafka = await TestKafka.start();

  await t.step(
    "a pause holds for the group, through kill -9 and a restart, until it is resumed",
    async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker();
      await using told = scene.consumer([worker]);
      await using other = scene.consumer([worker]);
      await untilShared([told, other]);
      const paused = await ask(told, "/pause", { by: "ann" });
      assert.deepEqual([paused.version, paused.pauses.map(({ by, from }) => [by, from])], [1, [[
        "ann",
        "127.0.0.1",
      ]]]);
      assert.equal(told.logged("flow changed").length, 1, "an audit line");
      await other.untilCause("paused");
      assert.match((await other.ready()).details, /everything by ann from 127\.0\.0\.1 since 20/);
      await scene.produce(values(40));
      await told.child.end("SIGKILL", LIMIT_MS);
      await using again = scene.consumer([worker]);
      await until("the records of all partitions", async () => {
        const [a, b] = await Promise.all(
          [other, again].map(async (each) => (await (await fetch(`${each.adminUrl}/scale`)).json()).backlog),
        );
        return a + b === 40;
      }, { timeoutMs: LIMIT_MS });
      assert.equal((await ask(again, "")).version, 1);
      assert.deepEqual(worker.requests, []);
      await ask(again, "/resume", {});
      await until("all records", () => worker.deliveries.size === 40, { timeoutMs: LIMIT_MS });
      await other.untilReady();
      assert.deepEqual([await other.stop(), await again.stop()], [0, 0]);
    },
  );

  await t.step(
    "a partition is paused alone; what is not read and what is paused with more is refused",
    async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker();
      await using consumer = scene.consumer([worker]);
      await untilShared([consumer]);
      const at = { topic: scene.topic, partition: 1 };
      const told = await runCommand("pause", scene, [
        `${scene.topic}/1`,
        "--by",
        "bob",
        "--admin",
        consumer.adminUrl,
      ]);
      assert.equal(told.code, 0, told.text);
      assert.match(told.text, /^Paused: .*\/1 \(by bob from 127\.0\.0\.1/m);
      await scene.produce(values(3), 1);
      await scene.produce(values(3), 0);
      await until("the other partition", () => worker.deliveries.size === 3);
      assert.deepEqual((await ask(consumer, "")).here.held, [`${scene.topic}/1`]);
      const refused = async (path: string, body: unknown) => {
        const response = await fetch(`${consumer.adminUrl}/flow${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
        return [response.status, (await response.json()).type];
      };
      assert.deepEqual(await refused("/pause", { topic: "nobody" }), [404, "/problems/not-read"]);
      assert.deepEqual(await refused("/pause", { ...at, partition: 99 }), [404, "/problems/not-read"]);
      await ask(consumer, "/pause", { topic: scene.topic });
      assert.deepEqual(await refused("/resume", at), [409, "/problems/paused-as-a-whole"]);
      await ask(consumer, "/resume", { topic: scene.topic });
      await until("all", () => worker.deliveries.size === 6);
      assert.equal(await consumer.stop(), 0);
    },
  );

  await t.step(
    "three consumers keep RATE_LIMIT together, and a rate that changes while they run",
    async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker();
      await scene.produce(values(900));
      const env = { RATE_LIMIT: "50" };
      await using a = scene.consumer([worker], env);
      await using b = scene.consumer([worker], env);
      await using c = scene.consumer([worker], env);
      await untilShared([a, b, c], true);
      const fromMs = performance.now();
      const before = worker.requests.length;
      await until("ten seconds", () => performance.now() - fromMs >= 10_000, { timeoutMs: LIMIT_MS });
      const sent = worker.requests.length - before;
      assert.ok(sent <= 525, `${sent} in ten seconds`);
      assert.ok(sent >= 400, `${sent} in ten seconds`);
      await ask(b, "/rate", { recordsPerSecond: 5000, by: "bob" });
      await until("the rest", () => worker.deliveries.size === 900, { timeoutMs: LIMIT_MS });
      const pool = await ask(c, "/pool", { permits: 3 });
      assert.deepEqual([pool.rate.setBy?.by, pool.rate.recordsPerSecond, pool.here.permits], [
        "bob",
        5000,
        1,
      ]);
    },
  );
});
