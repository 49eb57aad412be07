// The consumer as a process: how it starts, ends and is killed, and what that costs.

import assert from "node:assert/strict";
import { Scene, startConsumer, values } from "../support/processes/consumer_process.ts";
import { freePort } from "../support/ports.ts";
import { Gate, StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const NOWHERE = { KAFKA_BROKERS: "127.0.0.1:1", WORKER_URL: "http://127.0.0.1:1" };

/** An answer that takes about as long as a model does, scaled down. */
async function slowly(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 30));
  return 200;
}

Deno.test("the consumer process", async (t) => {
  await using kafka = await TestKafka.start();

  await t.step(
    "finishes what is in flight on SIGTERM, exits 0, and nothing settled comes again",
    async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker(slowly);
      await scene.produce(values(1500));
      for (const most of [300, 700, 1100]) {
        await using consumer = scene.consumer([worker]);
        await until(`${most} requests`, () => worker.requests.length >= most);
        assert.equal(await consumer.stop(), 0);
        assert.equal(worker.inFlight, 0);
        assert.deepEqual(consumer.logged("stopped").map(({ fields }) => fields["clean"]), [true]);
      }
      await using _last = scene.consumer([worker]);
      await scene.untilCommitted(60_000);
      assert.deepEqual([...worker.deliveries.values()].filter((count) => count > 1), []);
      assert.equal(worker.deliveries.size, 1500);
    },
  );

  await t.step(
    "loses nothing to kill -9 and delivers again no more than was in flight or uncommitted",
    async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker(slowly);
      const env = { COMMIT_MODE: "sync", WORKER_CONCURRENCY: "16" };
      await scene.produce(values(1500));
      let inFlight = 0;
      for (const most of [400, 900]) {
        await using consumer = scene.consumer([worker], env);
        await until(`${most} requests`, () => worker.requests.length >= most);
        consumer.child.kill("SIGKILL");
        await consumer.child.exit;
        // With `sync` a record keeps its permit until its commit is confirmed, so no more than the permits can be open.
        inFlight += 16;
      }
      await using _last = scene.consumer([worker], env);
      await scene.untilCommitted(60_000);
      assert.equal(worker.deliveries.size, 1500);
      const again = [...worker.deliveries.values()].filter((count) => count > 1).length;
      assert.ok(again <= inFlight, `${again} records were delivered again; ${inFlight} could have been open`);
    },
  );

  await t.step("ends at once on a second SIGTERM", async () => {
    const scene = await Scene.in(kafka);
    const gate = new Gate();
    await using worker = new StubWorker(() => gate.opened.then(() => 200));
    await scene.produce(["v"]);
    await using consumer = scene.consumer([worker]);
    await until("a request", () => worker.requests.length === 1);
    consumer.child.kill("SIGTERM");
    await consumer.child.waitForLine(({ fields }) => fields["message"] === "stopping");
    assert.equal(await consumer.stop(3000), 130);
    gate.open();
  });

  await t.step("gives up what is still in flight after SHUTDOWN_GRACE_MS", async () => {
    const scene = await Scene.in(kafka);
    const gate = new Gate();
    await using worker = new StubWorker(() => gate.opened.then(() => 200));
    await scene.produce(["v"]);
    await using consumer = scene.consumer([worker], { SHUTDOWN_GRACE_MS: "500" });
    await until("a request", () => worker.requests.length === 1);
    assert.equal(await consumer.stop(5000), 0);
    assert.deepEqual(consumer.logged("stopped").map(({ fields }) => fields["clean"]), [false]);
    gate.open();
  });

  await t.step("keeps its memory and its membership under a backlog and a slow worker", async () => {
    const scene = await Scene.in(kafka);
    const gate = new Gate();
    await using worker = new StubWorker(() => gate.opened.then(() => 200));
    const kilobyte = "x".repeat(500);
    await kafka.produce(
      scene.topic,
      values(20_000).map((value) => ({ key: value, value: value + kilobyte })),
    );
    await using consumer = scene.consumer([worker], { WORKER_CONCURRENCY: "4" });
    const rss = async () => await consumer.metric("process_resident_memory_bytes");
    await until("a full buffer", async () => (await consumer.metric("ackpool_backlog_records")) === 20_000);
    const before = await rss();
    const sinceMs = Date.now();
    // Three session timeouts without an answer.
    await until("ten seconds of waiting", () => Date.now() - sinceMs > 10_000, { timeoutMs: 20_000 });
    assert.equal(worker.requests.length, 4);
    assert.equal(consumer.logged("joined the group").length, 1);
    assert.ok(before < 400e6, `resident set: ${before}`);
    assert.ok(await rss() - before < 50e6, `resident set grew by ${await rss() - before}`);
    worker.script = () => 200;
    gate.open();
    await scene.untilCommitted(60_000);
    assert.equal(worker.deliveries.size, 20_000);
    assert.equal(worker.requests.length, 20_000);
    assert.ok(await rss() < 500e6, `resident set: ${await rss()}`);
  });

  await t.step("exits 0 by itself after IDLE_EXIT_MS without a record", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(slowly);
    await scene.produce(values(50));
    await using consumer = scene.consumer([worker], { IDLE_EXIT_MS: "300" });
    assert.equal((await consumer.child.exit).code, 0);
    assert.equal(worker.deliveries.size, 50);
    assert.equal(await kafka.lag(scene.topic, scene.groupId), 0);
  });

  await t.step("waits for a topic that does not exist yet, and says which", async () => {
    await using worker = new StubWorker();
    const topic = `later-${crypto.randomUUID().slice(0, 8)}`;
    await using consumer = startConsumer({
      KAFKA_BROKERS: kafka.brokers,
      KAFKA_TOPIC: topic,
      KAFKA_GROUP_ID: `g-${topic}`,
      WORKER_URL: worker.url,
    });
    assert.match((await consumer.untilCause("topic-missing")).details, new RegExp(topic));
    await kafka.make(topic);
    await kafka.produce(topic, [{ value: "v" }]);
    await until("a request", () => worker.requests.length === 1);
    assert.equal(await consumer.stop(), 0);
  });
});

Deno.test("the consumer process waits for brokers that cannot be reached, says so, and stops when asked", async () => {
  await using consumer = startConsumer({ ...NOWHERE, IDLE_EXIT_MS: "500" });
  const { details } = await consumer.untilCause("kafka-unavailable");
  assert.match(details, /127\.0\.0\.1:1/);
  assert.equal((await fetch(`${consumer.adminUrl}/livez`)).status, 200);
  assert.equal(consumer.child.status, undefined);
  assert.equal(await consumer.stop(5000), 0);
});

Deno.test("the consumer process names ADMIN_PORT in one line where the port is in use", async () => {
  const port = freePort();
  using _taken = Deno.listen({ hostname: "0.0.0.0", port });
  await using consumer = startConsumer({ ...NOWHERE, ADMIN_PORT: String(port) });
  assert.equal((await consumer.child.exit).code, 1);
  assert.deepEqual(consumer.child.lines.map(({ text }) => text), [
    `ackpool: Port ${port} is in use. Stop what listens there, or set ADMIN_PORT to another port.`,
  ]);
});

Deno.test("the consumer process tells all problems with its environment at once and exits 2", async () => {
  await using consumer = startConsumer({
    KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
    DELIVERY_MODE: "serial",
    MAX_ATTEMPTS: "0",
    WORKER_TOKEN: "s3cret",
  });
  assert.equal((await consumer.child.exit).code, 2);
  const said = consumer.child.lines.map(({ text }) => text).join("\n");
  for (const name of ["KAFKA_BROKERS", "WORKER_URL", "DELIVERY_MODE", "MAX_ATTEMPTS"]) {
    assert.match(said, new RegExp(`ackpool: ${name} `));
  }
  assert.doesNotMatch(said, /s3cret|at file:/);
});
