// Places of the group that real Kafka no longer has: records deleted, topics made anew, groups deleted.

import assert from "node:assert/strict";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { type ConsumerProcess, startConsumer, values } from "../support/processes/consumer_process.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const LIMIT_MS = 60_000;

/** One topic of one partition, one group, and a worker that settles everything. */
class Place implements AsyncDisposable {
  readonly topic = `r-${crypto.randomUUID().slice(0, 8)}`;
  readonly groupId = `g-${crypto.randomUUID().slice(0, 8)}`;
  readonly worker = new StubWorker();

  private constructor(readonly kafka: TestKafka, readonly client: Kafka, readonly admin: Admin) {}

  static async in(kafka: TestKafka, client: Kafka, admin: Admin): Promise<Place> {
    const place = new Place(kafka, client, admin);
    await place.make();
    return place;
  }

  async make(): Promise<void> {
    await this.admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic: this.topic, numPartitions: 1 }],
    });
    await until("its leader", async () => (await this.admin.fetchTopicOffsets(this.topic)).length === 1);
  }

  start(reset: "earliest" | "latest" = "earliest"): ConsumerProcess {
    return startConsumer({
      KAFKA_BROKERS: this.kafka.brokers,
      KAFKA_TOPIC: this.topic,
      KAFKA_GROUP_ID: this.groupId,
      KAFKA_AUTO_OFFSET_RESET: reset,
      WORKER_URL: this.worker.url,
    });
  }

  async produce(from: number, to: number): Promise<void> {
    const messages = values(to).slice(from).map((value) => ({ key: value, value, partition: 0 }));
    await this.kafka.produce(this.topic, messages);
  }

  /** As retention does it: what lies before `offset` is gone. */
  async deleteBefore(offset: number): Promise<void> {
    const partitions = [{ partition: 0, offset: String(offset) }];
    await this.admin.deleteTopicRecords({ topic: this.topic, partitions });
  }

  /** Commits for the group what nothing has read. */
  async commit(offset: number): Promise<void> {
    const { topic, groupId } = this;
    const member = this.client.consumer({ groupId, maxWaitTimeInMs: 100 });
    const { promise: joined, resolve } = Promise.withResolvers<void>();
    member.on(member.events.GROUP_JOIN, () => {
      // Reading on from there, kafkajs would find it out of range and commit another.
      member.pause([{ topic }]);
      resolve();
    });
    await member.connect();
    await member.subscribe({ topics: [topic] });
    await member.run({ autoCommit: false, eachMessage: () => Promise.resolve() });
    await joined;
    await member.commitOffsets([{ topic, partition: 0, offset: String(offset) }]);
    await member.disconnect();
  }

  async untilCommitted(): Promise<void> {
    await this.kafka.untilCommitted(this.topic, this.groupId, LIMIT_MS);
  }

  /** The values delivered since the last time, in order. */
  delivered(): readonly string[] {
    return this.worker.requests.splice(0).map(({ text }) => text).sort((a, b) => +a.slice(1) - +b.slice(1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker[Symbol.asyncDispose]();
  }
}

/** Waits for a line about a reset, and answers with the place it was and the place it is now. */
async function reset(consumer: ConsumerProcess, message: string, topic: string): Promise<readonly unknown[]> {
  const line = await until(
    `"${message}"`,
    () => consumer.logged(message).find(({ fields }) => fields["topic"] === topic),
    { timeoutMs: LIMIT_MS },
  );
  return [line.fields["partition"], line.fields["from"], line.fields["to"]];
}

Deno.test("the consumer goes on by its reset policy", async (t) => {
  await using kafka = await TestKafka.start();
  assert.ok(kafka.real, "run this through `deno task test:real`");
  const client = new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();

  await t.step(
    "where Kafka has deleted the records behind its offset: nothing that is left is lost",
    async () => {
      await using place = await Place.in(kafka, client, admin);
      const { topic } = place;
      await place.produce(0, 50);
      {
        await using consumer = place.start();
        await place.untilCommitted();
        assert.equal(await consumer.stop(), 0);
      }
      place.delivered();
      await place.produce(50, 100);
      await place.deleteBefore(80);
      await using consumer = place.start();
      assert.deepEqual(await reset(consumer, "offset out of range", topic), [0, 50, 80]);
      await place.untilCommitted();
      assert.deepEqual(place.delivered(), values(100).slice(80));
      const metrics = await (await fetch(`${consumer.adminUrl}/metrics`)).text();
      assert.match(metrics, new RegExp(`ackpool_offset_resets_total\\{topic="${topic}"\\} 1`));
      assert.equal(await consumer.stop(), 0);
    },
  );

  await t.step("at the end, where the policy is latest", async () => {
    await using place = await Place.in(kafka, client, admin);
    const { topic } = place;
    await place.produce(0, 30);
    await place.deleteBefore(20);
    await place.commit(10);
    await using consumer = place.start("latest");
    assert.deepEqual(await reset(consumer, "offset out of range", topic), [0, 10, 30]);
    await place.produce(30, 40);
    await place.untilCommitted();
    assert.deepEqual(place.delivered(), values(40).slice(30));
    assert.equal(await consumer.stop(), 0);
  });

  await t.step(
    "where it began, however often it starts: what came while it was away is delivered",
    async () => {
      await using place = await Place.in(kafka, client, admin);
      {
        await using consumer = place.start("latest");
        await consumer.untilReady(LIMIT_MS);
        await until("the place to be kept", async () => {
          return (await kafka.committed(place.topic, place.groupId)).get(0)?.offset === 0;
        }, { timeoutMs: LIMIT_MS });
        assert.equal(await consumer.stop(), 0);
      }
      await place.produce(0, 5);
      await using consumer = place.start("latest");
      await until("all of them", () => place.worker.requests.length === 5, { timeoutMs: LIMIT_MS });
      await place.untilCommitted();
      assert.deepEqual(place.delivered(), values(5));
      assert.equal(await consumer.stop(), 0);
    },
  );

  await t.step("where its offset is beyond the end of a topic that was made anew", async () => {
    for (const [policy, to] of [["earliest", 0], ["latest", 20]] as const) {
      await using place = await Place.in(kafka, client, admin);
      const { topic } = place;
      await place.produce(0, 20);
      await place.commit(500);
      await using consumer = place.start(policy);
      assert.deepEqual(await reset(consumer, "offset out of range", topic), [0, 500, to]);
      await place.untilCommitted();
      await place.produce(20, 25);
      await place.untilCommitted();
      assert.deepEqual(place.delivered(), values(25).slice(to));
      assert.equal(await consumer.stop(), 0);
    }
  });

  await t.step("where a topic is deleted and made anew while it reads", async () => {
    await using place = await Place.in(kafka, client, admin);
    await place.produce(0, 50);
    await using consumer = place.start();
    await place.untilCommitted();
    place.delivered();
    await admin.deleteTopics({ topics: [place.topic] });
    await until("its end", async () => !(await admin.listTopics()).includes(place.topic));
    await place.make();
    await place.produce(100, 110);
    await until("the new ones", () => place.worker.requests.length >= 10, { timeoutMs: LIMIT_MS });
    await place.untilCommitted();
    assert.deepEqual(place.delivered(), values(110).slice(100));
    assert.equal(await consumer.stop(), 0);
  });

  await t.step(
    "where a topic is made anew with more records than before while the process stands still",
    async () => {
      await using place = await Place.in(kafka, client, admin);
      await place.produce(0, 50);
      await using consumer = place.start();
      await place.untilCommitted();
      place.delivered();
      consumer.child.kill("SIGSTOP");
      try {
        await admin.deleteTopics({ topics: [place.topic] });
        await until("its end", async () => !(await admin.listTopics()).includes(place.topic));
        await place.make();
        await place.produce(200, 320);
      } finally {
        consumer.child.kill("SIGCONT");
      }
      const fresh = values(320).slice(200);
      await until("all of the new ones", () => {
        const texts = new Set(place.worker.requests.map(({ text }) => text));
        return fresh.every((text) => texts.has(text));
      }, { timeoutMs: LIMIT_MS });
      await place.untilCommitted();
      assert.equal(await consumer.stop(), 0);
    },
  );

  await t.step("where its group was deleted while it could not see it", async () => {
    for (const [policy, to] of [["earliest", 0], ["latest", 40]] as const) {
      await using place = await Place.in(kafka, client, admin);
      const { topic, groupId } = place;
      await using consumer = place.start(policy);
      await consumer.untilReady(LIMIT_MS);
      await place.produce(0, 40);
      await place.untilCommitted();
      consumer.child.kill("SIGSTOP");
      try {
        // Kafka deletes no group that has members.
        await until("a deleted group", async () => {
          const { groups } = await admin.describeGroups([groupId]);
          return groups[0]?.state === "Empty" && (await admin.deleteGroups([groupId])).length > 0;
        }, { timeoutMs: LIMIT_MS });
      } finally {
        consumer.child.kill("SIGCONT");
      }
      assert.deepEqual(await reset(consumer, "committed offset lost", topic), [0, 40, to]);
      await place.produce(40, 45);
      await place.untilCommitted();
      assert.deepEqual(
        place.delivered(),
        [...values(40), ...values(45).slice(to)].sort((a, b) => +a.slice(1) - +b.slice(1)),
      );
      assert.equal(await consumer.stop(), 0);
    }
  });
  await admin.disconnect();
});
