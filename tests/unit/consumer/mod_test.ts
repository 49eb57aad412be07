// The library without a Kafka: what createConsumer() refuses, and that every way of stopping ends a run.

import assert from "node:assert/strict";
import { ConfigError, createConsumer } from "../../../consumer/mod.ts";

/** Nobody listens on port 1. */
const OPTIONS = { brokers: "127.0.0.1:1", topics: "t", groupId: "g", handler: () => {} };
const NOTHING_DONE = { clean: true, idle: false, settled: 0, deadLettered: 0, retries: 0 };

Deno.test("createConsumer() names every problem at once, in its options' words", () => {
  const options = { brokers: "b:1", topics: "t t", groupId: "Invoices", checkNames: true, concurrency: 0 };
  const failed = (() => {
    try {
      createConsumer({ ...options, handler: () => {} });
    } catch (error) {
      return error;
    }
  })();
  assert.ok(failed instanceof ConfigError);
  assert.deepEqual(failed.problems, [
    'groupId is not service.group: current value is "Invoices"',
    'concurrency is below 1: current value is "0"',
    'topics has a name that Kafka does not take: "t t"',
  ]);
});

Deno.test("createConsumer() names files that certificates are not in beside everything else", () => {
  const settings = {
    KAFKA_SECURITY_PROTOCOL: "SSL",
    KAFKA_SSL_CA: "/no/ca",
    KAFKA_SSL_CERT: "/no/cert",
    KAFKA_SSL_KEY: "/no/key",
  };
  assert.throws(() => createConsumer({ ...OPTIONS, settings, concurrency: 0 }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(error.problems.map((problem) => problem.replace(/ .*/, "")), [
      "concurrency",
      "KAFKA_SSL_CA",
      "KAFKA_SSL_CERT",
      "KAFKA_SSL_KEY",
    ]);
    return true;
  });
});

Deno.test("Consumer.run() begins nothing after stop(), and ends at once", async () => {
  const consumer = createConsumer(OPTIONS);
  consumer.stop();
  consumer.stop();
  assert.deepEqual(await consumer.run(), { ...NOTHING_DONE, elapsedMs: 0 });
});

Deno.test("Consumer.run() begins nothing where its signal has fired already", async () => {
  assert.deepEqual(await createConsumer(OPTIONS).run(AbortSignal.abort()), { ...NOTHING_DONE, elapsedMs: 0 });
  const overHttp = createConsumer({
    brokers: "127.0.0.1:1",
    topics: "t",
    groupId: "g",
    workerUrl: "http://127.0.0.1:1",
  });
  assert.deepEqual(await overHttp.run(AbortSignal.abort()), { ...NOTHING_DONE, elapsedMs: 0 });
});

Deno.test("Consumer.stop() ends a run whose brokers cannot be reached, at whatever moment it comes", async () => {
  for (const pauseMs of [undefined, 0, 50]) {
    const consumer = createConsumer(OPTIONS);
    const ended = consumer.run();
    if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    consumer.stop();
    const { elapsedMs: _, ...summary } = await ended;
    assert.deepEqual(summary, NOTHING_DONE);
  }
});
