// A running consumer whose rights on a real broker are taken away and given back, and one with no more than it needs.

import assert from "node:assert/strict";
import { startTask } from "../chaos/stage/tasks.ts";
import { GuardedKafka, type Right } from "../support/kafka/guarded_kafka.ts";
import { GuardedScene, LIMIT_MS, untilForbidden } from "../support/kafka/guarded_scene.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { until } from "../support/until.ts";

const PATIENT = { timeoutMs: LIMIT_MS };

Deno.test("a consumer whose rights are taken away", async (t) => {
  await using kafka = await GuardedKafka.start();
  const step = (name: string, fn: () => Promise<void>) =>
    t.step({ name, fn, sanitizeOps: false, sanitizeResources: false, sanitizeExit: false });

  // Each mostly waits, and has a topic of its own: they run at the same time.
  await Promise.all([
    step("pauses, and goes on when they come back", async () => {
      const scene = await GuardedScene.allowing(kafka, "alice");
      const { readTopic, joinGroup } = scene.rights("alice");
      await using worker = new StubWorker();
      await using consumer = scene.consumer(worker, "SCRAM");
      await scene.deliver(worker, 50);
      const cases: readonly (readonly [Right, string])[] = [
        [readTopic, `read the topic ${scene.topic}`],
        [joinGroup, "join the group"],
      ];
      for (const [right, words] of cases) {
        await kafka.forbid(right);
        await untilForbidden(consumer, words);
        const delivery = scene.deliver(worker, 50);
        await kafka.allow(right);
        await delivery;
        await consumer.untilReady(LIMIT_MS);
      }
      await scene.untilCommitted();
      await consumer.stop();
    }),
    step("reads its other topics on, as the same member, when it may not read one", async () => {
      const scene = await GuardedScene.allowing(kafka, "alice");
      const other = `${scene.topic}-other`;
      await kafka.kafka.make(other);
      const mayReadOther: Right = { user: "alice", operation: "READ", topic: other };
      await kafka.allow(mayReadOther);
      await using worker = new StubWorker();
      const topics = { KAFKA_TOPIC: `${scene.topic},${other}` };
      await using consumer = scene.consumer(worker, "SCRAM", topics);
      await scene.deliver(worker, 20);
      await until("its topics", () => consumer.logged("joined the group").length > 0, PATIENT);
      await kafka.forbid(mayReadOther);
      const { details } = await consumer.untilCause("kafka-forbidden", LIMIT_MS);
      assert.match(details, new RegExp(`read the topic ${other}`));
      const joins = consumer.logged("joined the group").length;
      await scene.deliver(worker, 50);
      await kafka.kafka.produce(other, [{ value: "later" }]);
      await kafka.allow(mayReadOther);
      await until("the other topic", () => worker.requests.some(({ text }) => text === "later"), PATIENT);
      assert.equal(consumer.logged("joined the group").length, joins);
      await consumer.stop();
    }),
    step("is not idle while it may not join: a drain ends when everything is delivered", async () => {
      const scene = await GuardedScene.allowing(kafka, "alice");
      const { joinGroup } = scene.rights("alice");
      await using worker = new StubWorker();
      const idleMs = 5000;
      await using consumer = scene.consumer(worker, "SCRAM", { IDLE_EXIT_MS: String(idleMs) });
      await scene.deliver(worker, 20);
      await kafka.forbid(joinGroup);
      await untilForbidden(consumer, "join the group");
      const sinceMs = Date.now();
      await until("longer than it may be idle", () => Date.now() - sinceMs > idleMs, PATIENT);
      const delivery = scene.deliver(worker, 20);
      await kafka.allow(joinGroup);
      await delivery;
      assert.equal((await consumer.child.exit).code, 0);
      assert.equal(await kafka.kafka.lag(scene.topic, scene.group), 0);
    }),
    step("delivers on without replays when it may not read them", async () => {
      const scene = await GuardedScene.allowing(kafka, "alice");
      const { readRetries } = scene.rights("alice");
      await using worker = new StubWorker();
      await using consumer = scene.consumer(worker, "SCRAM");
      await scene.deliver(worker, 20);
      await kafka.forbid(readRetries);
      await until("the news", () => consumer.logged("no replays are read").length > 0, PATIENT);
      await scene.deliver(worker, 20);
      await kafka.allow(readRetries);
      await kafka.kafka.produce(scene.retryTopic, [{ key: "k", value: "again" }]);
      await until("the replay", () => worker.deliveries.size === 41, PATIENT);
      await scene.untilCommitted();
      await consumer.stop();
    }),
    step("delivers without the right to write dead letters; those that need it wait", async () => {
      const scene = await GuardedScene.in(kafka);
      const { readTopic, writeDeadLetters, joinGroup } = scene.rights("alice");
      await kafka.allow(readTopic, joinGroup);
      await using worker = new StubWorker(({ text }) => text === "bad" ? 400 : 200);
      await using consumer = scene.consumer(worker, "SCRAM");
      const { details } = await consumer.untilCause("dead-letter-topic-unavailable", LIMIT_MS);
      assert.match(details, new RegExp(scene.deadLetterTopic));
      await kafka.kafka.produce(scene.topic, [{ key: "bad", value: "bad" }]);
      await until("the bad record", () => worker.requests.length > 0, PATIENT);
      await scene.deliver(worker, 20);
      await kafka.allow(writeDeadLetters);
      await scene.untilCommitted();
      await consumer.untilReady(LIMIT_MS);
      assert.equal((await kafka.kafka.read(scene.deadLetterTopic)).length, 1);
      assert.equal(consumer.logged("no replays are read").length, 1);
      await consumer.stop();
    }),
    step("does all it can with the rights README gives: delivers, shows its lag, replays", async () => {
      const scene = await GuardedScene.bare(kafka);
      const { topic, group } = scene;
      const user = "alice";
      const sides = { user, topic: `${topic}.${group}.`, prefixed: true } as const;
      await kafka.allow(
        { user, operation: "READ", topic },
        { ...sides, operation: "READ" },
        { ...sides, operation: "WRITE" },
        { ...sides, operation: "CREATE" },
        { user, operation: "READ", group, prefixed: true },
        { user, operation: "WRITE", transactionalId: group, prefixed: true },
      );
      await using worker = new StubWorker(() => 400);
      await using consumer = scene.consumer(worker, "SCRAM");
      await kafka.kafka.produce(topic, [{ key: "k", value: "v" }]);
      await scene.untilCommitted();
      worker.script = () => 200;
      for (const [task, ...args] of [["dlq", "replay", "--everything"], ["lag"]] as const) {
        await using command = startTask(task, task, scene.env("SCRAM"), args);
        assert.equal((await command.exit).code, 0, command.lines.map(({ text }) => text).join("\n"));
      }
      await until("the replay", () => worker.requests.length === 2, PATIENT);
      await consumer.stop();
    }),
  ]);
});
