// Consumers with an instance id on real Kafka: who starts waits for no dead predecessor, and a live one comes back.

import assert from "node:assert/strict";
import { Scene } from "../support/processes/consumer_process.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";

/** What a group waits for without an instance id: much longer than this test does. */
const SESSION = { KAFKA_SESSION_TIMEOUT_MS: "600000", COMMIT_INTERVAL_MS: "1000" };
const LIMIT_MS = 120_000;

Deno.test("a consumer with KAFKA_INSTANCE_ID", async (t) => {
  await using kafka = await TestKafka.start();
  assert.ok(kafka.real, "run this through `deno task test:real`");
  await using worker = new StubWorker();
  const texts = () => new Set(worker.requests.map(({ text }) => text));
  const settled = async (...wanted: readonly string[]) =>
    await until(wanted.join(), () => wanted.every((text) => texts().has(text)), { timeoutMs: LIMIT_MS });

  await t.step("that is started after kill -9 delivers at once, and others of the group stay", async () => {
    const scene = await Scene.in(kafka);
    await using other = scene.consumer([worker], { ...SESSION, KAFKA_INSTANCE_ID: "other" });
    await other.untilReady(LIMIT_MS);
    const env = { ...SESSION, KAFKA_INSTANCE_ID: "one-$HOSTNAME", HOSTNAME: "box" };
    {
      await using first = scene.consumer([worker], env);
      await first.untilReady(LIMIT_MS);
      await scene.produce(["before"]);
      await settled("before");
      first.child.kill("SIGKILL");
      await first.child.exit;
    }
    const texts = Array.from({ length: 64 }, (_, n) => `after-${n}`);
    await scene.produce(texts);
    await using second = scene.consumer([worker], env);
    await settled(...texts);
    const [line] = second.logged("predecessor taken out of the group");
    assert.equal(line?.fields["instance"], "one-box");
    assert.equal(other.logged("taken out of the group while alive").length, 0);
    await scene.untilCommitted(LIMIT_MS);
    assert.equal(await second.stop(), 0);
    assert.equal(await other.stop(), 0);
  });

  await t.step("that is taken out while it lives says so once, and comes back; nothing is lost", async () => {
    const scene = await Scene.in(kafka);
    const env = { ...SESSION, KAFKA_INSTANCE_ID: "same" };
    await using first = scene.consumer([worker], env);
    await first.untilReady(LIMIT_MS);
    await using second = scene.consumer([worker], env);
    await until("a word on it", () => first.logged("taken out of the group while alive").length > 0, {
      timeoutMs: LIMIT_MS,
    });
    const texts = Array.from({ length: 64 }, (_, n) => `both-${n}`);
    await scene.produce(texts);
    await settled(...texts);
    // Both are members now, each with its share.
    await until("the first to be back", () => first.logged("joined the group").length === 2, {
      timeoutMs: LIMIT_MS,
    });
    await first.untilReady(LIMIT_MS);
    const more = Array.from({ length: 64 }, (_, n) => `more-${n}`);
    await scene.produce(more);
    await settled(...more);
    await scene.untilCommitted(LIMIT_MS);
    assert.equal(first.logged("taken out of the group while alive").length, 1);
    assert.equal(second.logged("taken out of the group while alive").length, 0);
    assert.deepEqual([await first.stop(), await second.stop()], [0, 0]);
  });
});
