// The consumer in a group on real Kafka: joins, leaves, brokers that go away, transactions, members of an older release.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { type ConsumerProcess, Scene, values } from "../support/processes/consumer_process.ts";
import { RealKafka } from "../support/kafka/real_kafka.ts";
import { SteadyLoad } from "../support/kafka/steady_load.ts";
import { Gate, type SeenRequest, StubWorker } from "../support/workers/stub_worker.ts";
import { PARTITIONS, TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

/** One record for each partition, whose value is the partition's number. */
async function onePerPartition(scene: Scene): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await scene.produce([String(partition)], partition);
  }
}

/** Waits until it has joined so many times. */
const joins = (consumer: ConsumerProcess, count: number) =>
  until(`join number ${count}`, () => consumer.logged("joined the group").length >= count);

const partitionOf = ({ key }: SeenRequest) => Number(key.split("/")[1]);

Deno.test("the consumer in a group", async (t) => {
  await using kafka = await TestKafka.start();

  await t.step("keeps the records in flight of the partitions it keeps when another joins", async () => {
    const scene = await Scene.in(kafka);
    const gate = new Gate();
    await using first = new StubWorker(() => gate.opened.then(() => 200));
    await using second = new StubWorker();
    await onePerPartition(scene);
    await using a = scene.consumer([first]);
    await until("everything in flight", () => first.requests.length === PARTITIONS);
    await using b = scene.consumer([second]);
    await joins(b, 1);
    await joins(a, 2);
    const [last] = a.logged("joined the group").slice(-1);
    assert.deepEqual([last?.fields["kept"], last?.fields["gained"]], [PARTITIONS, 0]);
    await until("the moved partitions' records again", () => second.requests.length === PARTITIONS / 2);
    gate.open();
    await scene.untilCommitted();
    const moved = new Set(second.requests.map(partitionOf));
    // What stayed was delivered once, although its answer came long after the rebalance.
    assert.equal(first.requests.length, PARTITIONS);
    assert.equal(moved.size, PARTITIONS / 2);
    assert.equal(second.requests.length, PARTITIONS / 2);
    assert.equal(await b.stop(), 0);
    await joins(a, 3);
    assert.equal(await a.stop(), 0);
    assert.equal(first.requests.length, PARTITIONS);
  });

  await t.step("commits what is settled before it gives a partition up", async () => {
    const scene = await Scene.in(kafka);
    await using first = new StubWorker();
    await using second = new StubWorker();
    await scene.produce(values(400));
    await using a = scene.consumer([first], { COMMIT_INTERVAL_MS: "3600000" });
    await until("all of it", () => first.requests.length === 400);
    await a.untilReady();
    await using b = scene.consumer([second], { COMMIT_INTERVAL_MS: "3600000" });
    await joins(b, 1);
    await joins(a, 2);
    await scene.produce(values(400, "w"));
    await until("the rest", () => first.requests.length + second.requests.length >= 800);
    await b.untilReady();
    assert.equal(first.requests.length + second.requests.length, 800);
    assert.ok(second.requests.every(({ text }) => text.startsWith("w")), "something settled came again");
  });

  await t.step(
    "goes on with partitions that were paused under their bound, kept, given up and had again",
    async () => {
      const scene = await Scene.in(kafka);
      const gate = new Gate();
      await using worker = new StubWorker(() => gate.opened.then(() => 200));
      await scene.produce(values(20_000));
      await using stays = scene.consumer([worker]);
      const full = async () => await stays.metric("ackpool_backlog_records") === 20_000;
      await until("a full buffer", full);
      {
        await using comes = scene.consumer([worker]);
        await joins(comes, 1);
        await joins(stays, 2);
        comes.child.kill("SIGTERM");
        await comes.child.waitForLine(({ fields }) => fields["message"] === "stopping");
        gate.open();
        assert.equal((await comes.child.exit).code, 0);
      }
      await joins(stays, 3);
      await scene.untilCommitted(90_000);
      assert.equal(worker.deliveries.size, 20_000);
      const again = worker.requests.length - 20_000;
      assert.ok(again <= 16, `${again} delivered again; two consumers had 8 in flight each`);
    },
  );

  await t.step("loses nothing and orders every key while members come and go under load", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      return 200;
    });
    await kafka.produce(scene.topic, values(3000).map((value, n) => ({ key: `k${n % 50}`, value })));
    await using stays = scene.consumer([worker], { DELIVERY_MODE: "key" });
    await stays.untilReady();
    for (let round = 0; round < 3; round++) {
      await using comes = scene.consumer([worker], { DELIVERY_MODE: "key" });
      await joins(comes, 1);
      const seen = worker.requests.length;
      await until("more work", () => worker.requests.length > seen + 100);
      if (round === 1) comes.child.kill("SIGKILL");
      else assert.equal(await comes.stop(), 0);
    }
    await scene.untilCommitted(90_000);
    assert.equal(worker.deliveries.size, 3000);
    assertFirstsInOrder(worker);
  });

  await t.step("moves past control records where a topic has nothing else: lag 0", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker();
    const client = new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING });
    const producer = client.producer({
      transactionalId: scene.topic,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const aborted = await producer.transaction();
    await aborted.send({
      topic: scene.topic,
      messages: values(10).map((value) => ({ value, partition: 0 })),
    });
    await aborted.abort();
    await using consumer = scene.consumer([worker]);
    await scene.untilCommitted();
    assert.equal(worker.requests.length, 0);
    const committed = await producer.transaction();
    await committed.send({ topic: scene.topic, messages: [{ value: "v", partition: 0 }] });
    await committed.commit();
    await producer.disconnect();
    await scene.untilCommitted();
    assert.deepEqual(worker.requests.map(({ text }) => text), ["v"]);
    assert.equal(consumer.logged("commit refused").length, 0);
  });

  await t.step("shares the group with a member that knows round robin only", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker();
    await using consumer = scene.consumer([worker]);
    await consumer.untilReady();
    const client = new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING });
    const old = client.consumer({ groupId: scene.groupId, heartbeatInterval: 200 });
    const topics: string[] = [];
    await old.connect();
    await old.subscribe({ topics: [scene.topic, scene.retryTopic], fromBeginning: true });
    old.on(old.events.GROUP_JOIN, ({ payload }) => {
      assert.equal(payload.groupProtocol, "RoundRobinAssigner");
      topics.push(...Object.keys(payload.memberAssignment));
    });
    await old.run({ eachMessage: () => Promise.resolve() });
    await joins(consumer, 2);
    assert.ok(topics.includes(scene.topic));
    await old.disconnect();
    await joins(consumer, 3);
    await scene.produce(values(40));
    await scene.untilCommitted();
    assert.equal(worker.deliveries.size, 40);
  });

  await t.step("stops within seconds while it is joining", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker();
    // A member that takes its time: it learns of the rebalance at its next heartbeat only.
    await using member = scene.consumer([worker], { KAFKA_SESSION_TIMEOUT_MS: "30000" });
    await member.untilReady();
    await using joining = scene.consumer([worker]);
    await joining.untilCause("joining");
    assert.equal(await joining.stop(10_000), 0);
    await scene.produce(["v"]);
    await scene.untilCommitted(60_000);
  });
});

Deno.test("the consumer loses nothing to a broker that restarts, is killed with -9 and stays away, and stops in time", async () => {
  await using broker = await RealKafka.start();
  await using kafka = await TestKafka.connect(broker.brokers);
  const scene = await Scene.in(kafka);
  await using worker = new StubWorker(async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return 200;
  });
  const load = new SteadyLoad(kafka, scene.topic);
  await using consumer = scene.consumer([worker], {
    SHUTDOWN_GRACE_MS: "2000",
    KAFKA_SESSION_TIMEOUT_MS: "10000",
  });
  const work = (count: number) => {
    const before = worker.requests.length;
    return until(`${count} more`, () => worker.requests.length > before + count, { timeoutMs: 120_000 });
  };
  await work(200);
  await broker.restart();
  await work(200);
  await broker.kill();
  await consumer.untilCause("kafka-unavailable", 120_000);
  // kafkajs itself gives up after a quarter of a minute.
  await until(
    "the membership's end",
    async () => /Not a member/.test((await consumer.ready()).details),
    { timeoutMs: 120_000 },
  );
  await broker.restart();
  await work(200);
  const sent = await load.stop();
  await scene.untilCommitted(120_000);
  const delivered = new Set(worker.requests.map(({ text }) => text));
  assert.deepEqual(sent.filter((value) => !delivered.has(value)), []);
  await consumer.untilReady(60_000);
  await scene.produce(["late"]);
  await until("a record after it", () => worker.requests.some(({ text }) => text === "late"), {
    timeoutMs: 60_000,
  });
  await broker.kill();
  const startedMs = performance.now();
  assert.equal(await consumer.stop(20_000), 0);
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < 12_000, `stopping took ${tookMs} ms`);
});

/** A key's records first arrive in the order they were produced in, whatever is delivered again later. */
function assertFirstsInOrder({ requests }: StubWorker): void {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  for (const { key, text } of requests) {
    if (seen.has(key)) continue;
    seen.add(key);
    const number = Number(text.slice(1));
    const lane = String(number % 50);
    assert.ok(number > (last.get(lane) ?? -1), `${text} came after v${last.get(lane)}`);
    last.set(lane, number);
  }
}
