// Topics that change under load on real Kafka: they gain partitions, appear, go, and come back.

import assert from "node:assert/strict";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { type ConsumerProcess, startConsumer, values } from "../support/processes/consumer_process.ts";
import { SteadyLoad } from "../support/kafka/steady_load.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

/** Longer than the consumer says it takes to notice, for the machine may be busy. */
const NOTICED_MS = 60_000;

const settled = (worker: StubWorker, texts: readonly string[]) =>
  until(
    `${texts.length} records`,
    () => new Set(worker.requests.map(({ text }) => text)).size >= texts.length,
    { timeoutMs: NOTICED_MS },
  );

/** What a consumer logged of its joins: kept, gained and lost, each time. */
const joins = (consumer: ConsumerProcess) =>
  consumer.logged("joined the group").map(({ fields }) => [fields["kept"], fields["gained"], fields["lost"]]);

Deno.test("the consumer and its topics", async (t) => {
  await using kafka = await TestKafka.start();
  assert.ok(kafka.real, "run this through `deno task test:real`");
  const admin = new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await using worker = new StubWorker(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 200;
  });
  const start = (topics: string, groupId: string, env: Readonly<Record<string, string>> = {}) =>
    startConsumer({
      KAFKA_BROKERS: kafka.brokers,
      KAFKA_TOPIC: topics,
      KAFKA_GROUP_ID: groupId,
      WORKER_URL: worker.url,
      ...env,
    });

  await t.step("a topic that gains partitions under load is read whole, and keeps what it had", async () => {
    const [topic, groupId] = [name("grows"), name("g")];
    await make(admin, topic, 2);
    await using consumer = start(topic, groupId, { KAFKA_AUTO_OFFSET_RESET: "latest" });
    await consumer.untilReady(NOTICED_MS);
    worker.requests.length = 0;
    const loading = new SteadyLoad(kafka, topic);
    await until("some work", () => worker.requests.length > 50);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    await leaders(admin, topic, 5);
    // A producer of its own knows the new partitions at once.
    await using other = await TestKafka.connect(kafka.brokers);
    const more = new SteadyLoad(other, topic);
    await until(
      "work from the new partitions",
      () => worker.requests.some(({ key }) => Number(key.split("/")[1]) >= 2),
      { timeoutMs: NOTICED_MS },
    );
    const sent = [...await loading.stop(), ...await more.stop()];
    await settled(worker, sent);
    await kafka.untilCommitted(topic, groupId, NOTICED_MS);
    assert.equal(worker.requests.length, sent.length, "something was delivered twice");
    // Two partitions each of the topic and its retry topic were kept with all they had.
    assert.deepEqual(joins(consumer).at(-1), [4, 3, 0]);
    assert.equal(await consumer.stop(), 0);
  });

  await t.step(
    "a topic that appears under load is read when its name matches, the others go on",
    async () => {
      const [prefix, groupId] = [name("p"), name("g")];
      const [first, second, third] = [`${prefix}-a`, `${prefix}-b`, `${prefix}-not`];
      await using consumer = start(`/^${prefix}-.$/`, groupId, { KAFKA_AUTO_OFFSET_RESET: "latest" });
      const { details } = await consumer.untilCause("topic-missing", NOTICED_MS);
      assert.match(details, new RegExp(prefix));
      await make(admin, first, 2);
      await consumer.untilReady(NOTICED_MS);
      worker.requests.length = 0;
      const loading = new SteadyLoad(kafka, first);
      await until("some work", () => worker.requests.length > 50);
      await Promise.all([make(admin, second, 3), make(admin, third, 1)]);
      const more = new SteadyLoad(kafka, second);
      await kafka.produce(third, [{ value: "not meant" }]);
      await until(
        "work from the new topic",
        () => worker.requests.some(({ key }) => key.startsWith(second)),
        {
          timeoutMs: NOTICED_MS,
        },
      );
      const sent = [...await loading.stop(), ...await more.stop()];
      await settled(worker, sent);
      for (const topic of [first, second]) {
        await kafka.untilCommitted(topic, groupId, NOTICED_MS);
      }
      assert.equal(worker.requests.length, sent.length, "something was delivered twice");
      assert.ok(worker.requests.every(({ key }) => !key.startsWith(third)));
      const existing = await admin.listTopics();
      assert.ok(
        existing.includes(`${second}.${groupId}.dlq`) && existing.includes(`${second}.${groupId}.retry`),
      );
      assert.deepEqual(joins(consumer).at(-1), [4, 6, 0]);
      assert.equal(await consumer.stop(), 0);
    },
  );

  await t.step(
    "a topic that is deleted is let go, and read again from its beginning when it is back",
    async () => {
      const [prefix, groupId] = [name("d"), name("g")];
      const [stays, goes] = [`${prefix}-stays`, `${prefix}-goes`];
      await Promise.all([make(admin, stays, 2), make(admin, goes, 2)]);
      await using consumer = start(`${stays},${goes}`, groupId);
      await consumer.untilReady(NOTICED_MS);
      worker.requests.length = 0;
      await kafka.produce(goes, values(20, "old").map((value) => ({ key: value, value })));
      await kafka.untilCommitted(goes, groupId, NOTICED_MS);
      const loading = new SteadyLoad(kafka, stays);
      await admin.deleteTopics({ topics: [goes] });
      await until("a word on it", () => consumer.logged("topic gone").length > 0, { timeoutMs: NOTICED_MS });
      const before = worker.requests.length;
      await until("work on the other", () => worker.requests.length > before + 50, { timeoutMs: NOTICED_MS });
      await make(admin, goes, 2);
      const fresh = values(30, "new");
      await kafka.produce(goes, fresh.map((value) => ({ key: value, value })));
      await until("all of the new ones", () => {
        const texts = new Set(worker.requests.map(({ text }) => text));
        return fresh.every((text) => texts.has(text));
      }, { timeoutMs: NOTICED_MS });
      const sent = await loading.stop();
      await settled(worker, [...values(20, "old"), ...fresh, ...sent]);
      assert.equal(worker.requests.length, 50 + sent.length, "something was delivered twice");
      assert.equal(await consumer.stop(), 0);
    },
  );
  for (const park of ["false", "true"]) {
    await t.step(
      `a topic that is deleted with its side topics costs no other topic anything (PARK_KEYS=${park})`,
      async () => {
        const [prefix, groupId] = [name("k"), name("g")];
        const [stays, goes, comes] = [`${prefix}-stays`, `${prefix}-goes`, `${prefix}-comes`];
        await Promise.all([make(admin, stays, 2), make(admin, goes, 2)]);
        worker.script = ({ text }) => text.startsWith("bad") ? 422 : 200;
        await using consumer = start(`/^${prefix}-[a-z]+$/`, groupId, {
          DELIVERY_MODE: "key",
          PARK_KEYS: park,
        });
        await consumer.untilReady(NOTICED_MS);
        worker.requests.length = 0;
        const send = async (topic: string, text: string) => {
          // A client for each: kafkajs asks about topics that are gone for as long as it lives, and fails for it.
          await using fresh = await TestKafka.connect(kafka.brokers);
          await fresh.produce(topic, [{ key: text, value: text }]);
          await until(text, () => worker.requests.some((seen) => seen.text === text), {
            timeoutMs: NOTICED_MS,
          });
        };
        await send(goes, "bad-1");
        const letters = async (topic: string) => {
          await using fresh = await TestKafka.connect(kafka.brokers);
          return (await fresh.read(`${topic}.${groupId}.dlq`)).length;
        };
        await until("its letter", async () => await letters(goes) === 1, { timeoutMs: NOTICED_MS });
        await admin.deleteTopics({ topics: [goes, `${goes}.${groupId}.dlq`, `${goes}.${groupId}.retry`] });
        await until("a word on it", () => consumer.logged("topic gone").length > 0, {
          timeoutMs: NOTICED_MS,
        });
        await send(stays, "bad-2");
        await until("another letter", async () => await letters(stays) === 1, { timeoutMs: NOTICED_MS });
        await make(admin, comes, 3);
        await send(comes, "new");
        await send(comes, "bad-3");
        await until("a third letter", async () => await letters(comes) === 1, { timeoutMs: NOTICED_MS });
        await consumer.untilReady(NOTICED_MS);
        // Also the dead-letter topic of a topic that stays may be deleted: it is made again.
        await admin.deleteTopics({ topics: [`${stays}.${groupId}.dlq`] });
        await send(stays, "bad-4");
        await until("its new letter", async () => await letters(stays) === 1, { timeoutMs: NOTICED_MS });
        await using fresh = await TestKafka.connect(kafka.brokers);
        await fresh.untilCommitted(stays, groupId, NOTICED_MS);
        assert.equal(await consumer.stop(), 0);
      },
    );
  }
  await admin.disconnect();
});

const name = (what: string) => `${what}${crypto.randomUUID().slice(0, 6)}`;

async function make(admin: Admin, topic: string, numPartitions: number): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions }] });
  await leaders(admin, topic, numPartitions);
}

/** Only who leads a partition knows its offsets. */
async function leaders(admin: Admin, topic: string, count: number): Promise<void> {
  await until(`leaders of ${topic}`, async () => (await admin.fetchTopicOffsets(topic)).length === count);
}
